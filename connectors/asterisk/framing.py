"""AMI bytes into messages: incremental framing and parsing of responses and events.

Most of a PBX's stream is noise to us, so an event's name is read from its first header and the rest of an
unwanted event is never decoded. Text is decoded per whole message: a character split between two reads stays
whole, bytes that are no UTF-8 become U+FFFD.

Wire format: Asterisk, main/manager.c; https://docs.asterisk.org (Asterisk Manager Interface, AMI v2).
"""

from collections.abc import Mapping

Message = dict[str, str | list[str]]
"""Headers of one message in order of arrival; a header that came more than once is a list."""

MAX_MESSAGE = 1 << 20
"""Bytes. A longer message is dropped and counted."""

_BLANK = (b"\r", b"\n")
_EVENT = b"Event: "
_FOLLOWS = b"Response: Follows"
_END_COMMAND = b"--END COMMAND--"


class Framer:
    """Cuts one connection's bytes into messages; make a new one for each connection."""

    def __init__(
        self,
        interesting: frozenset[str] | None = None,
        needed: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Events not named in `interesting` are dropped unparsed; with None every event is kept. Those
        named in `needed` are kept only when one of the texts given there is in them.
        """
        self._interesting = None if interesting is None else frozenset(n.encode() for n in interesting)
        self._needed = {n.encode(): tuple(t.encode() for t in ts) for n, ts in (needed or {}).items()}
        self._buffer = bytearray()
        self._scanned = 0
        self._eol = b""
        self._skipping = False
        self._command: bytearray | None = None
        self.banner = ""
        """The line with which the peer introduced itself, "" until it came or when there was none."""
        self.oversize = 0
        """Messages dropped for their size."""
        self.dropped = 0
        """Events dropped for their name."""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that became whole with `data`, in order; never raises."""
        self._buffer += data
        if not self._eol and not self._begin():
            return []
        end = self._eol + self._eol
        last = self._buffer.rfind(end, max(0, self._scanned - len(end) + 1))
        if last < 0:
            self._keep_bounded()
            return []
        whole = bytes(self._buffer[:last])
        del self._buffer[: last + len(end)]
        self._scanned = 0
        blocks = whole.split(end)
        if self._skipping:
            self._skipping = False
            del blocks[0]
        messages = self._messages(blocks)
        self._keep_bounded()
        return messages

    def _begin(self) -> bool:
        """Learn from the first line how lines end here, and take the banner away."""
        newline = self._buffer.find(b"\n")
        if newline < 0:
            self._keep_bounded()
            return False
        first = bytes(self._buffer[: newline + 1])
        self._eol = b"\r\n" if first.endswith(b"\r\n") else b"\n"
        line = first.rstrip(b"\r\n")
        if b": " not in line:
            self.banner = line[:200].decode("utf-8", "replace")
            del self._buffer[: newline + 1]
        self._scanned = 0
        return True

    def _keep_bounded(self) -> None:
        if len(self._buffer) > MAX_MESSAGE:
            if not self._skipping:
                self.oversize += 1
                self._skipping = True
            del self._buffer[:-3]
        self._scanned = len(self._buffer)

    def _messages(self, blocks: list[bytes]) -> list[Message]:
        messages = []
        for block in blocks:
            if block.startswith(_BLANK) and self._command is None:
                block = block.lstrip(b"\r\n")
            if self._command is not None or block.startswith(_FOLLOWS):
                message = self._command_answer(block)
            elif block.startswith(_EVENT) and self._is_noise(block):
                continue
            else:
                # A read may end within three line ends in a row; the first of them is not the message's.
                message = self._parsed(block.removesuffix(self._eol))
            if message:
                messages.append(message)
        return messages

    def _is_noise(self, block: bytes) -> bool:
        end = block.find(self._eol, len(_EVENT))
        name = block[len(_EVENT) : end] if end >= 0 else block[len(_EVENT) :]
        if self._interesting is None or name in self._interesting:
            texts = self._needed.get(name)
            if texts is None or any(text in block for text in texts):
                return False
        self.dropped += 1
        return True

    def _parsed(self, block: bytes) -> Message | None:
        if len(block) > MAX_MESSAGE:
            self.oversize += 1
            return None
        return parse(block, self._eol)

    def _command_answer(self, block: bytes) -> Message | None:
        """A command's output as Asterisk before 14 wrote it: no headers, perhaps blank lines, an end mark."""
        if self._command is None:
            self._command = bytearray()
        self._command += block + self._eol + self._eol
        if len(self._command) > MAX_MESSAGE:
            self._command = None
            self.oversize += 1
            return None
        if _END_COMMAND not in block:
            return None
        answer, self._command = bytes(self._command), None
        return _command_output(answer, self._eol)


def parse(block: bytes, eol: bytes = b"\r\n") -> Message:
    """The headers of one message without its closing blank line.

    An empty value is kept as "", a line without a colon is passed over.
    """
    text = block.decode("utf-8", "replace")
    lines = text.split(eol.decode())
    try:
        plain = dict([line.split(": ", 1) for line in lines])
    except ValueError:
        return _parse_odd(lines)
    return plain if len(plain) == len(lines) else _parse_odd(lines)  # type: ignore[return-value]


def _parse_odd(lines: list[str]) -> Message:
    message: Message = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.removeprefix(" ")
        known = message.get(key)
        if known is None:
            message[key] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            message[key] = [known, value]
    return message


def _command_output(block: bytes, eol: bytes) -> Message:
    """Headers first, then the output, whose lines end in a bare newline."""
    lines = block.partition(_END_COMMAND)[0].decode("utf-8", "replace").split(eol.decode())
    message: Message = {}
    for count, line in enumerate(lines):
        key, sep, value = line.partition(": ")
        if not sep or "\n" in line:
            message["Output"] = "\n".join(lines[count:]).splitlines()
            break
        message[key] = value
    return message
