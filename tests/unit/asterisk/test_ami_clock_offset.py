"""The PBX's clock against ours: the quickest answer counts, a set clock is noticed, nonsense is not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.asterisk.clock_offset import ClockOffset


@given(
    st.floats(-1e6, 1e6), st.lists(st.tuples(st.floats(0, 0.4), st.floats(0, 0.4)), min_size=1, max_size=12)
)
def test_the_error_is_never_more_than_half_the_quickest_round_trip(
    true: float, ways: list[tuple[float, float]]
) -> None:
    offset = ClockOffset()
    for number, (there, back) in enumerate(ways):
        sent = 1_000_000.0 + 5 * number
        offset.learn(sent, sent + there + back, sent + there + true)
    quickest = min(there + back for there, back in ways)
    assert offset.seconds == pytest.approx(true, abs=quickest / 2 + 1e-6)


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    offset = ClockOffset()
    for second in range(20):
        offset.learn(second, second + 0.001, second + 0.0005)
    offset.learn(20, 20.2, 3620.1)
    assert offset.seconds == pytest.approx(3600)


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf, 1e300])
def test_nonsense_is_no_clock(nonsense: float) -> None:
    offset = ClockOffset()
    offset.learn(1, 2, nonsense)
    assert offset.seconds is None
