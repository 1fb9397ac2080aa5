"""The refusals and failures of Perezvon. A class's docstring is its default message."""

from collections.abc import Sequence
from dataclasses import dataclass


class PerezvonError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class TemporaryFailure(PerezvonError):
    """The outside system cannot be reached or is busy: the same thing may work later.

    `retry_after_s`: what the other side asked us to wait; `whole_connector`: not this conversation alone;
    `remedy`: what a person may do if it does not mend itself.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after_s: float | None = None,
        whole_connector: bool = False,
        remedy: str = "",
    ) -> None:
        super().__init__(message or "The outside system cannot be reached or is busy.")
        self.remedy = remedy
        self.retry_after_s = retry_after_s
        self.whole_connector = whole_connector


class PermanentFailure(PerezvonError):
    """The outside system refused this for good: the same thing will never work."""


class OutcomeUnknown(PerezvonError):
    """The other side may or may not have taken it: the answer was lost after the sending."""


class Unreachable(PermanentFailure):
    """The client cannot be reached at this address: he blocked us or the address is gone."""


class NeedsAdministrator(PerezvonError):
    """Only a person can mend this: wrong credentials, missing rights, wrong address."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class StoreUnavailable(PerezvonError):
    """The database does not take writes or reads at the moment; nothing was stored."""


class JobLost(PerezvonError):
    """Somebody else does this by now, or it is not wanted any more."""


class NotFound(PerezvonError):
    """There is no such thing, or you may not see it."""


class Unauthenticated(PerezvonError):
    """Sign in, or send a valid token."""


class Refused(PerezvonError):
    """Your role does not allow this."""


class Conflict(PerezvonError):
    """The state of the thing does not allow this."""


class TooMany(PerezvonError):
    """Too many attempts; wait a little."""

    def __init__(self, message: str | None = None, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class VersionConflict(PerezvonError):
    """Somebody else changed this meanwhile: load it again and repeat your change."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake in the input: the field's path and what to write instead."""

    field: str
    message: str


class Invalid(PerezvonError):
    """The input has mistakes."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors))
        self.errors = tuple(errors)

    @classmethod
    def one(cls, field: str, message: str) -> "Invalid":
        """A single mistake."""
        return cls([FieldError(field, message)])
