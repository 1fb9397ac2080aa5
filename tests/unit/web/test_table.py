"""The route table and what is made from it."""

from pathlib import Path

from gateway.domain.people import Role
from gateway.services.tokens import SCOPES
from gateway.web.table import ROUTES
from gateway.web.typescript import render

TYPES = Path(__file__).parents[3] / "desk" / "src" / "api" / "types.ts"


def test_only_signing_in_needs_no_role() -> None:
    assert [(r.method, r.path) for r in ROUTES if r.role is None] == [("POST", "/session")]


def test_every_route_but_ones_own_session_names_a_scope_that_tokens_can_have() -> None:
    assert {r.path for r in ROUTES if r.scope is None} == {"/session", "/me"}
    assert {r.scope for r in ROUTES if r.scope is not None} <= SCOPES
    for route in ROUTES:
        if route.scope is not None:
            assert route.scope.endswith(":read" if route.method == "GET" else ":write"), route.path


def test_no_two_routes_share_a_method_and_path_or_a_name() -> None:
    assert len({(r.method, r.path) for r in ROUTES}) == len(ROUTES)
    assert len({r.name for r in ROUTES}) == len(ROUTES)


def test_what_belongs_to_settings_is_for_admins() -> None:
    admin = {(r.method, r.path) for r in ROUTES if r.role is Role.ADMIN}
    for noun in ("teams", "skills", "queues"):
        assert {("POST", f"/{noun}"), ("PATCH", f"/{noun}/{{id}}")} <= admin
    assert ("POST", "/operators") in admin


def test_the_desks_types_are_those_of_the_table() -> None:
    """Otherwise: `python -m gateway.web.typescript > desk/src/api/types.ts`."""
    assert TYPES.read_text() == render()
