"""What went wrong with an AMI connection, in words that tell an administrator what to mend where."""

import socket
import ssl
from collections.abc import Mapping

from connectors.asterisk.actions import Action
from connectors.asterisk.framing import Message
from connectors.asterisk.settings import AsteriskSettings
from gateway.domain.errors import NeedsAdministrator, PerezvonError, PermanentFailure, TemporaryFailure

RELOAD = 'then run: asterisk -rx "manager reload"'


def unreachable(settings: AsteriskSettings, error: OSError) -> PerezvonError:
    """The connection could not be made; certificates need a person, everything else may heal."""
    where = f"{settings.host}:{settings.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return NeedsAdministrator(
            f"the certificate of {where} is not trusted: {error.verify_message}",
            remedy=f"name the PBX's CA in ca_file of connector {settings.name!r}, and in host a name that"
            " stands in the certificate (manager.conf: tlscertfile)",
        )
    if isinstance(error, ssl.SSLError):
        return NeedsAdministrator(
            f"{where} does not speak TLS",
            remedy=f"set tlsenable = yes in manager.conf and port of connector {settings.name!r} to its"
            f" tlsbindaddr, or tls = false; {RELOAD}",
        )
    look = (
        f"see that Asterisk runs and its manager.conf says enabled = yes; host and port of connector"
        f" {settings.name!r} must be its bindaddr and port, and no firewall between"
    )
    if isinstance(error, TimeoutError):
        return TemporaryFailure(f"{where} does not answer", remedy=look)
    if isinstance(error, socket.gaierror):
        mend = f"write the PBX's name or address in host of connector {settings.name!r}"
        return TemporaryFailure(f"the name {settings.host} is not known", remedy=mend)
    return TemporaryFailure(f"{where} cannot be reached: {error.strerror or error}", remedy=look)


def bad_ca_file(settings: AsteriskSettings, error: OSError) -> NeedsAdministrator:
    """The file of the private CA is missing or holds no certificates."""
    return NeedsAdministrator(
        f"ca_file {settings.ca_file} cannot be used: {error.strerror or error}",
        remedy=f"name in ca_file of connector {settings.name!r} a PEM file with the CA's certificate",
    )


def no_login(settings: AsteriskSettings, banner: str, why: str) -> PerezvonError:
    """Login was not answered: not a PBX, or one in trouble."""
    where = f"{settings.host}:{settings.port}"
    if banner and "Call Manager" not in banner:
        return NeedsAdministrator(
            f"{where} is no Asterisk manager: it says {banner[:60]!r}",
            remedy=f"set host and port of connector {settings.name!r} to bindaddr and port of manager.conf",
        )
    return TemporaryFailure(f"{where} does not answer the login: {why}")


def refused(settings: AsteriskSettings, answer: str) -> PerezvonError:
    """Wrong user or secret, or an address that the PBX does not let in; or it is just going down."""
    if "shutting down" in answer.lower():
        return TemporaryFailure(f"the PBX does not take us now: {answer}")
    return NeedsAdministrator(
        f"the PBX refuses user {settings.username!r}: {answer or 'no reason given'}",
        remedy=f"in manager.conf of {settings.host} let [{settings.username}] hold the same `secret` as"
        f" connector {settings.name!r} and a `permit` for this machine; {RELOAD}",
    )


def denied(action: Action, answer: Message) -> PerezvonError:
    """The PBX answered an action with an error."""
    said = str(answer.get("Message", "no reason given"))
    if "permission denied" in said.lower():
        return NeedsAdministrator(
            f"the PBX denies {action['Action']}",
            remedy=f"let the user's section in manager.conf say `write = reporting`; {RELOAD}",
        )
    return PermanentFailure(f"{action['Action']}: {said}")


def classes() -> Mapping[str, NeedsAdministrator]:
    """What cannot be without each read class that we need."""
    lacks = {
        "system": "the PBX does not tell us about its restarts",
        "call": "calls pass on the PBX unseen",
        "agent": "the PBX does not tell us who waits in its queues",
        "dialplan": "the PBX does not tell us of voicemail and of the files of recordings",
    }
    line = f"`read = {','.join(lacks)}`"
    return {
        name: NeedsAdministrator(
            what,
            remedy=f"add `{name}` to `read` in the user's section in manager.conf, best {line}; {RELOAD}",
        )
        for name, what in lacks.items()
    }


def forged_events() -> NeedsAdministrator:
    """Events came that the PBX did not write by itself."""
    return NeedsAdministrator(
        "forged events are being refused",
        remedy="a caller writes into AMI through line breaks in his SIP address: refuse those at the trunk",
    )
