"""operator add, token create, token list, token revoke."""

import argparse
import sys
from datetime import timedelta

import msgspec

from config.settings import Settings
from gateway.commands import opening
from gateway.domain.errors import Invalid
from gateway.domain.people import Role
from gateway.services import people, tokens
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.services.views.people import TokenView
from gateway.store.engine import Store


def add_operator(options: argparse.Namespace) -> None:
    """Create a person."""
    given = sys.stdin.readline().rstrip("\r\n") if options.password_stdin else None
    fields = {
        "login": options.login,
        "name": options.name,
        "role": options.role,
        "teams": options.team,
        "endpoints": [_endpoint(spelling) for spelling in options.extension],
        "password": given,
    }

    async def work(settings: Settings, store: Store) -> str:
        body = _converted(fields | {"language": settings.locale.language})
        return await people.add_operator(store, body)

    password = opening.with_store(options.config, work)
    print(f"{options.role} {options.login} created")
    if given is None:
        print(f"password: {password}")


def _converted(fields: dict[str, object]) -> OperatorCreate:
    try:
        return msgspec.convert(msgspec.to_builtins(fields), OperatorCreate)
    except msgspec.ValidationError as error:
        raise Invalid.one("operator", str(error)) from None


def _endpoint(spelling: str) -> EndpointFields:
    extension, at, pbx = spelling.partition("@")
    if not (extension and at and pbx):
        raise Invalid.one("extension", f"{spelling!r}: write EXTENSION@PBX, such as 101@pbx1")
    return EndpointFields(pbx=pbx, extension=extension)


def create_token(options: argparse.Namespace) -> None:
    """Make an API token and show it once."""
    wanted = tokens.NewToken(
        name=options.name,
        role=Role(options.role),
        scopes=tuple(options.scope),
        teams=tuple(options.team),
        expires=timedelta(days=options.expires) if options.expires is not None else None,
    )

    async def work(_: Settings, store: Store) -> str:
        token, _view = await tokens.create(store, people.CONSOLE, wanted)
        return token

    print(opening.with_store(options.config, work))


def list_tokens(options: argparse.Namespace) -> None:
    """One line per token."""

    async def work(_: Settings, store: Store) -> list[str]:
        return [_line(token) for token in await tokens.list_tokens(store, people.CONSOLE)]

    for line in opening.with_store(options.config, work):
        print(line)


def _line(token: TokenView) -> str:
    ends = f"revoked {token.revoked_at}" if token.revoked_at else f"expires {token.expires_at or 'never'}"
    scopes = ",".join(token.scopes) or "all scopes"
    return f"{token.id}  {token.name}  {token.role}  {scopes}  {ends}  used {token.last_used_at or 'never'}"


def revoke_token(options: argparse.Namespace) -> None:
    """End a token."""

    async def work(_: Settings, store: Store) -> TokenView:
        return await tokens.revoke(store, people.CONSOLE, options.token)

    print(f"{opening.with_store(options.config, work).name} revoked")
