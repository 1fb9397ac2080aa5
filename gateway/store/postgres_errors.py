"""Which errors mean that PostgreSQL, and not the statement, is at fault."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.domain.errors import StoreUnavailable

# SQLSTATE classes (PostgreSQL documentation, appendix A): connection, transaction rollback (deadlock),
# insufficient resources (disk full, too many connections), operator intervention, system error, and the
# lock, read-only (a standby), idle-transaction and start-up refusals.
_CLASSES = ("08", "40", "53", "57", "58")
_STATES = {"25006", "25P03", "55P03", "28000", "28P01", "3D000"}


def unavailable(error: BaseException) -> StoreUnavailable | None:
    """The StoreUnavailable that `error` amounts to, or None when it is the statement's own fault."""
    if isinstance(error, OSError | TimeoutError | PoolTimeout):
        return StoreUnavailable(f"the database cannot be reached: {error or type(error).__name__}")
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str) and (state[:2] in _CLASSES or state in _STATES):
        return StoreUnavailable(f"the database cannot be used: {original}")
    if isinstance(error, DBAPIError) and (error.connection_invalidated or _lost(original)):
        return StoreUnavailable(f"the connection to the database was lost: {original}")
    if type(error).__module__.startswith("asyncpg") and _lost(error):
        return StoreUnavailable(f"the connection to the database was lost: {error}")
    return None


def _lost(error: BaseException | None) -> bool:
    """asyncpg's client-side refusals carry no SQLSTATE, only a class and a text."""
    names = {kind.__name__ for kind in type(error).__mro__} | {
        type(error.__cause__).__name__ if error else ""
    }
    return bool(names & {"InterfaceError", "InternalClientError", "InvalidCachedStatementError"}) and not (
        names & {"DataError"}
    )
