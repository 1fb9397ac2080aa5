"""How long failed sign-ins are delayed."""

from gateway.services.throttle import PER_ADDRESS, PER_LOGIN, Allowance


def test_the_first_attempts_are_free_then_the_delay_doubles_up_to_its_longest() -> None:
    allowance = Allowance(free=3, longest_s=10)
    assert [allowance.delay_s(n) for n in range(8)] == [0, 0, 0, 1, 2, 4, 8, 10]
    assert allowance.delay_s(10**6) == 10


def test_a_login_is_never_locked_for_long_since_anybody_can_make_it_fail() -> None:
    assert PER_LOGIN.longest_s <= 60 < PER_ADDRESS.longest_s
