"""AMI bytes into messages, whatever the pieces in which they arrive."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.asterisk.framing import MAX_MESSAGE, Framer, Message

STREAMS = sorted((Path(__file__).parents[3] / "gateway/demo/streams").glob("*.ami"))
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
NAMED = "Event: Newchannel\r\nCallerIDName: Иван Петров-Ёлкин 🙂\r\nUniqueid: 1.1\r\n\r\n".encode()
HANGUP = b"Event: Hangup\r\nUniqueid: 1.1\r\nCause: 16\r\n\r\n"


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def read(data: bytes, size: int | None = None, framer: Framer | None = None) -> list[Message]:
    framer = framer or Framer()
    return [message for piece in pieces(data, size or len(data)) for message in framer.feed(piece)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_a_name_cut_anywhere_between_two_reads_keeps_every_letter(size: int) -> None:
    first, second = read(BANNER + NAMED + HANGUP, size)
    assert first == {"Event": "Newchannel", "CallerIDName": "Иван Петров-Ёлкин 🙂", "Uniqueid": "1.1"}
    assert second == {"Event": "Hangup", "Uniqueid": "1.1", "Cause": "16"}


@given(st.data())
def test_how_a_stream_is_cut_changes_nothing(data: st.DataObject) -> None:
    stream = BANNER + NAMED + b"Response: Success\r\nActionID: 1\r\nPing: Pong\r\n\r\n" + HANGUP
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    framer = Framer()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += framer.feed(stream[start:end])
    assert found == read(stream)
    assert framer.banner == "Asterisk Call Manager/11.0.0"


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_garbage_never_raises_and_the_next_message_is_read_again(garbage: list[bytes]) -> None:
    framer = Framer()
    framer.feed(BANNER)
    for piece in garbage:
        framer.feed(piece.replace(b"Follows", b"follows"))
    framer.feed(b"\r\n\r\n")
    assert framer.feed(HANGUP) == read(HANGUP)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda path: path.stem)
def test_recorded_streams_give_the_same_messages_in_any_pieces_and_line_ends(stream: Path) -> None:
    data = stream.read_bytes()
    whole = read(data)
    assert len(whole) == data.count(b"\r\n\r\n")
    assert read(data, 7) == whole
    assert read(data.replace(b"\r\n", b"\n")) == whole


def test_a_short_answer_after_a_banner_in_pieces_is_not_overlooked() -> None:
    framer = Framer()
    framer.feed(BANNER[:-2])
    assert framer.feed(BANNER[-2:] + b"A: b\r\n\r\n") == [{"A": "b"}]
    assert framer.banner == "Asterisk Call Manager/11.0.0"


@pytest.mark.parametrize("size", [1, 4, None])
def test_blank_lines_before_a_command_answer_do_not_hide_what_it_is(size: int | None) -> None:
    stream = HANGUP + b"\r\n\r\nResponse: Follows\r\nActionID: 1\r\n\r\nx\n--END COMMAND--\r\n\r\n" + HANGUP
    assert [message.get("Response", "") for message in read(stream, size)] == ["", "Follows", ""]


def test_noise_is_dropped_by_name_and_counted() -> None:
    framer = Framer(frozenset({"Hangup"}))
    noise = b"Event: RTCPSent\r\nUniqueid: 1.1\r\n\r\n"
    prefix_of_a_wanted_name = b"Event: Hang\r\n\r\n"
    longer_than_a_wanted_name = b"Event: HangupRequest\r\n\r\n"
    assert read(noise + prefix_of_a_wanted_name + longer_than_a_wanted_name + HANGUP * 2, 5, framer) == read(
        HANGUP * 2
    )
    assert framer.dropped == 3


def test_an_event_wanted_for_one_line_only_is_dropped_without_it() -> None:
    framer = Framer(frozenset({"VarSet"}), {"VarSet": ("Variable: MIXMONITOR_FILENAME",)})
    other = b"Event: VarSet\r\nVariable: DIALSTATUS\r\nValue: BUSY\r\n\r\n"
    recording = b"Event: VarSet\r\nVariable: MIXMONITOR_FILENAME\r\nValue: /a.wav\r\n\r\n"
    assert [m["Value"] for m in read(other + recording + other, framer=framer)] == ["/a.wav"]


def test_answers_are_never_noise() -> None:
    assert read(b"Response: Error\r\nMessage: No such channel\r\n\r\n", framer=Framer(frozenset())) == [
        {"Response": "Error", "Message": "No such channel"}
    ]


def test_an_empty_value_is_kept_even_as_last_header() -> None:
    assert read(b"Event: A\r\nAccountCode: \r\nNoBlank:\r\nLast: \r\n\r\n") == [
        {"Event": "A", "AccountCode": "", "NoBlank": "", "Last": ""}
    ]


def test_a_repeated_header_shows_as_a_list_so_that_a_forged_one_cannot_hide() -> None:
    forged = (
        b"Event: Newchannel\r\nCallerIDNum: 1\r\nEvent: Hangup\r\nUniqueid: 1.1\r\nUniqueid: 2.2\r\n"
        b"ChanVariable: a=1\r\nChanVariable: b=2\r\nChanVariable: c=3\r\n\r\n"
    )
    (message,) = read(forged)
    assert message["Event"] == ["Newchannel", "Hangup"]
    assert message["Uniqueid"] == ["1.1", "2.2"]
    assert message["ChanVariable"] == ["a=1", "b=2", "c=3"]


def test_a_line_without_a_colon_costs_only_itself() -> None:
    assert read(b"Event: A\r\njunk\r\nB: c: d\r\n\r\n") == [{"Event": "A", "B": "c: d"}]


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    (message,) = read(b"Event: A\r\nCallerIDName: " + "Иван".encode("cp1251") + b"\r\nB: c\r\n\r\n")
    assert message == {"Event": "A", "CallerIDName": "\ufffd" * 4, "B": "c"}


def test_a_bare_newline_in_a_value_ends_no_message_of_a_crlf_stream() -> None:
    (message,) = read(b"Event: A\r\nName: x\n\nEvent: Hangup\r\nB: c\r\n\r\n")
    assert message == {"Event": "A", "Name": "x\n\nEvent: Hangup", "B": "c"}


@pytest.mark.parametrize("size", [1000, MAX_MESSAGE // 2, None])
def test_an_oversize_message_is_dropped_counted_and_the_next_one_read(size: int | None) -> None:
    framer = Framer()
    huge = b"Event: A\r\nName: " + b"x" * (2 * MAX_MESSAGE) + b"\r\n\r\n"
    assert read(BANNER + HANGUP + huge + HANGUP, size, framer) == read(HANGUP * 2)
    assert framer.oversize == 1


def test_an_endless_message_does_not_fill_the_memory() -> None:
    framer = Framer()
    for _ in range(40):
        framer.feed(b"x" * (MAX_MESSAGE // 4))
    assert framer.oversize == 1
    assert len(framer._buffer) <= MAX_MESSAGE
    framer.feed(b"\r\n\r\n")


@pytest.mark.parametrize("size", [3, None])
def test_old_command_output_with_blank_lines_does_not_break_the_framing(size: int | None) -> None:
    command = (
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\nfirst: line\n\nthird\n\r\n\r\nfourth\n"
        b"--END COMMAND--\r\n\r\n"
    )
    answer, hangup = read(BANNER + command + HANGUP, size)
    assert (answer["Response"], answer["ActionID"]) == ("Follows", "7")
    assert answer["Output"] == ["first: line", "", "third", "", "", "fourth"]
    assert hangup["Event"] == "Hangup"


def test_new_command_output_is_a_list_of_lines() -> None:
    (answer,) = read(b"Response: Success\r\nActionID: 7\r\nOutput: a\r\nOutput: \r\nOutput: b\r\n\r\n")
    assert answer["Output"] == ["a", "", "b"]


def test_extra_blank_lines_between_messages_are_passed_over() -> None:
    assert read(BANNER + b"\r\n" + HANGUP + b"\r\n\r\n" + HANGUP, 4) == read(HANGUP * 2)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_read_that_ends_among_blank_lines_changes_no_header(cut: int) -> None:
    odd = b"Fi:le: one\r\n"
    stream = BANNER + odd + b"\r\n\r\n" + HANGUP
    framer, at = Framer(), len(BANNER + odd) - 1 + cut
    assert framer.feed(stream[:at]) + framer.feed(stream[at:]) == read(stream)
    assert read(stream)[0] == {"Fi:le": "one"}
