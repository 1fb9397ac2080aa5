"""The command line: `perezvon COMMAND`."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from config.problems import ConfigError
from gateway.domain.errors import NeedsAdministrator, PerezvonError

ROLES = ("operator", "supervisor", "admin")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0: all is well, 1: something is wrong, 2: a wrong command line, 78: wrong settings."""
    options = _parser().parse_args(arguments)
    code = 1
    try:
        return int(_chosen(options.run)(options) or 0)
    except ConfigError as error:
        print(error, file=sys.stderr)
        # deploy/systemd does not start again what a person has to mend first (sysexits.h).
        code = os.EX_CONFIG if options.run == "running:serve" else 1
    except NeedsAdministrator as error:
        print(f"perezvon: {error}\n  {error.remedy}", file=sys.stderr)
    except (PerezvonError, OSError) as error:
        print(f"perezvon: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return code


def _chosen(spelling: str) -> Callable[[argparse.Namespace], int | None]:
    # Imported when chosen: replaying a stream needs neither a web server nor a database.
    module, _, name = spelling.partition(":")
    command: Callable[[argparse.Namespace], int | None]
    command = getattr(importlib.import_module(f"gateway.commands.{module}"), name)
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="perezvon", description="Contact-centre gateway.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _running(commands)
    _data(commands)
    _people(commands)
    return parser


def _with_config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="default: $PEREZVON_CONFIG, ./perezvon.toml, /etc/perezvon/",
    )
    return parser


def _running(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = _with_config(commands.add_parser("serve", help="run the service"))
    serve.add_argument("--no-migrate", action="store_true", help="refuse to start on an older schema")
    serve.set_defaults(run="running:serve")

    check = _with_config(commands.add_parser("check", help="validate the file and try every part"))
    check.set_defaults(run="running:check")

    demo = commands.add_parser("demo", help="a demonstration on this machine alone")
    demo.add_argument(
        "--port", type=int, default=8080, help="of the desk (default 8080, or the next free one)"
    )
    demo.add_argument(
        "--pbx", metavar="USER:SECRET@HOST[:PORT]", help="AMI of a real Asterisk, instead of played calls"
    )
    demo.add_argument(
        "--trunk", action="append", default=[], help="its channels of the outside, such as PJSIP/trunk"
    )
    demo.set_defaults(run="running:demo")

    replay = _with_config(commands.add_parser("replay", help="calls of captured AMI streams, as JSON lines"))
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE.ami")
    replay.add_argument("--pbx", metavar="NAME", help="connector whose settings hold (default: the only one)")
    replay.set_defaults(run="replaying:replay")


def _data(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    migrate = _with_config(commands.add_parser("migrate", help="bring the database to the newest schema"))
    migrate.set_defaults(run="data:migrate")
    backup = _with_config(
        commands.add_parser("backup", help="a consistent copy of everything, while running")
    )
    backup.add_argument("directory", type=Path, metavar="DIR")
    backup.set_defaults(run="data:backup")
    restore = _with_config(commands.add_parser("restore", help="a copy back into an empty place"))
    restore.add_argument("directory", type=Path, metavar="DIR")
    restore.set_defaults(run="data:restore")

    bring = commands.add_parser("import", help="bring in an existing client base")
    what = bring.add_subparsers(required=True, metavar="WHAT")
    cards = _with_config(what.add_parser("cards", help="a card of every line of a CSV file"))
    cards.add_argument("file", type=Path, metavar="FILE.csv")
    cards.add_argument("--dry-run", action="store_true", help="only report what would happen")
    cards.set_defaults(run="imports:cards")
    undo = _with_config(what.add_parser("undo", help="take an import out again"))
    undo.add_argument("batch", metavar="BATCH")
    undo.set_defaults(run="imports:undo")


def _people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    operator = commands.add_parser("operator", help="people").add_subparsers(required=True, metavar="VERB")
    add = _with_config(operator.add_parser("add", help="a new person; prints a password where none is given"))
    add.add_argument("login", metavar="LOGIN")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=ROLES)
    add.add_argument(
        "--extension", action="append", default=[], metavar="101@pbx1", help="a phone; may be repeated"
    )
    add.add_argument("--team", action="append", default=[], help="may be repeated (default: main)")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add.set_defaults(run="people:add_operator")

    token = commands.add_parser("token", help="API tokens").add_subparsers(required=True, metavar="VERB")
    create = _with_config(token.add_parser("create", help="a new token, shown once"))
    create.add_argument("--name", required=True)
    create.add_argument("--role", required=True, choices=ROLES)
    create.add_argument(
        "--scope", action="append", default=[], metavar="recordings:write", help="may be repeated"
    )
    create.add_argument("--team", action="append", default=[], help="may be repeated (default: main)")
    create.add_argument("--expires", type=int, metavar="DAYS")
    create.set_defaults(run="people:create_token")
    listing = _with_config(token.add_parser("list", help="all tokens, without their secrets"))
    listing.set_defaults(run="people:list_tokens")
    revoke = _with_config(token.add_parser("revoke", help="end a token at once"))
    revoke.add_argument("token", metavar="NAME|ID")
    revoke.set_defaults(run="people:revoke_token")


if __name__ == "__main__":
    sys.exit(main())
