"""Which errors mean that PostgreSQL, and not the statement, is at fault."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.domain.errors import StoreUnavailable

# SQLSTATE (PostgreSQL documentation, appendix A). Connection and operator intervention: the connection is
# gone. Transaction rollback (deadlock), insufficient resources (disk full, too many connections), system
# error, a lock not had in time, sign-in refused, no such database: it stands, and cannot be used.
_LOST = ("08", "57P")
_UNUSABLE = ("40", "53", "57014", "58", "55P03", "25P03", "28", "3D000")
_STANDBY = "25006"


class ConnectionLost(StoreUnavailable):
    """The connection is gone; others of its age probably are too."""


def unavailable(error: BaseException, *, reading: bool = False) -> StoreUnavailable | None:
    """The StoreUnavailable that `error` amounts to, or None when it is the statement's own fault.

    A write refused as read-only is a standby's answer; to a reader it is what it asked for.
    """
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("all connections to the database are busy")
    if isinstance(error, OSError | TimeoutError):
        return ConnectionLost(f"the database cannot be reached: {error or type(error).__name__}")
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        standby = (state == _STANDBY and not reading) or (state == "55000" and "recovery" in str(original))
        if state.startswith(_LOST) or standby:
            return ConnectionLost(f"the connection to the database was lost: {original}")
        if state.startswith(_UNUSABLE):
            return StoreUnavailable(f"the database cannot be used: {original}")
    if _is_drivers_own(error) or _is_drivers_own(original):
        return ConnectionLost(f"the connection to the database was lost: {original}")
    return None


def _is_drivers_own(error: BaseException | None) -> bool:
    """Refusals of asyncpg itself carry no SQLSTATE: a closed connection, a plan that DDL made stale.

    A value that it cannot encode is one of them by class, and the statement's fault.
    """
    if error is None:
        return False
    kinds = {kind.__name__ for one in (error, error.__cause__) if one for kind in type(one).__mro__}
    own = {"InterfaceError", "InternalClientError", "InvalidCachedStatementError"}
    return bool(kinds & own) and "DataError" not in kinds
