"""Teams and skills."""

from gateway.domain.people import Role
from gateway.services import teams
from gateway.services.teams import Listing, Named
from gateway.services.views.common import Page
from gateway.services.views.people import Skill, Team
from gateway.web.routes import Plain, Request, route


async def list_teams(rq: Request[None, Listing]) -> Page[Team]:
    """One's teams."""
    return await teams.list_teams(rq.store, rq.actor, rq.query)


async def get_team(rq: Plain) -> Team:
    """One team."""
    return await teams.get_team(rq.store, rq.actor, rq.path("id"))


async def create_team(rq: Request[Named, None]) -> Team:
    """Make a team."""
    return await teams.create_team(rq.store, rq.actor, rq.body)


async def rename_team(rq: Request[Named, None]) -> Team:
    """Give a team another name."""
    return await teams.rename_team(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


async def list_skills(rq: Request[None, Listing]) -> Page[Skill]:
    """Every skill."""
    return await teams.list_skills(rq.store, rq.actor, rq.query)


async def get_skill(rq: Plain) -> Skill:
    """One skill."""
    return await teams.get_skill(rq.store, rq.actor, rq.path("id"))


async def create_skill(rq: Request[Named, None]) -> Skill:
    """Make a skill."""
    return await teams.create_skill(rq.store, rq.actor, rq.body)


async def rename_skill(rq: Request[Named, None]) -> Skill:
    """Give a skill another name."""
    return await teams.rename_skill(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


_READ_TEAMS = {"role": Role.OPERATOR, "scope": "teams:read"}
_TEAMS = {"role": Role.ADMIN, "scope": "teams:write"}
_READ_SKILLS = {"role": Role.OPERATOR, "scope": "skills:read"}
_SKILLS = {"role": Role.ADMIN, "scope": "skills:write"}
_MAKE = {"status": 201, "idempotent": True}
ROUTES = (
    route("GET", "/teams", list_teams, summary="List teams", **_READ_TEAMS),
    route("POST", "/teams", create_team, summary="Make a team", **_MAKE, **_TEAMS),
    route("GET", "/teams/{id}", get_team, summary="One team", **_READ_TEAMS),
    route("PATCH", "/teams/{id}", rename_team, summary="Rename a team", **_TEAMS),
    route("GET", "/skills", list_skills, summary="List skills", **_READ_SKILLS),
    route("POST", "/skills", create_skill, summary="Make a skill", **_MAKE, **_SKILLS),
    route("GET", "/skills/{id}", get_skill, summary="One skill", **_READ_SKILLS),
    route("PATCH", "/skills/{id}", rename_skill, summary="Rename a skill", **_SKILLS),
)
