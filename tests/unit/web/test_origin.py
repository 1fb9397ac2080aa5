"""Where requests come from."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.origin import client_address, is_ours, same_origin

DESK = "https://desk.example.org"


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        (DESK, True),
        ("https://desk.example.org:443", True),
        ("http://desk.example.org", False),
        ("https://desk.example.org:8443", False),
        ("https://desk.example.org.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("https://[", False),
    ],
)
def test_an_origin_is_ours_by_scheme_host_and_port(origin: str, ours: bool) -> None:
    assert same_origin(origin, DESK) is ours


def test_the_names_of_loopback_are_one() -> None:
    assert same_origin("http://localhost:8080", "http://127.0.0.1:8080")
    assert not same_origin("http://localhost:9999", "http://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Origin": DESK}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": DESK}, False),
        ({"Origin": "https://evil.example"}, False),
    ],
)
def test_a_request_is_ours_unless_the_browser_says_otherwise(headers: dict[str, str], ours: bool) -> None:
    assert is_ours(make_mocked_request("POST", "/", headers=headers), DESK) is ours


def _address(peer: str, forwarded: str | None, trusted: tuple[str, ...]) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    return client_address(request, trusted)


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("10.0.0.1", None, (), "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", (), "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", ("10.0.0.1",), "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", ("10.0.0.0/8",), "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.9", ("10.0.0.0/8",), "1.2.3.4"),
        ("10.0.0.1", "garbage", ("10.0.0.0/8",), "garbage"),
        ("::1", "2001:db8::7", ("::1",), "2001:db8::7"),
    ],
)
def test_forwarded_addresses_are_believed_only_from_trusted_proxies(
    peer: str, forwarded: str | None, trusted: tuple[str, ...], address: str
) -> None:
    assert _address(peer, forwarded, trusted) == address


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=100))
def test_who_is_no_trusted_proxy_cannot_choose_his_address(forwarded: str) -> None:
    assert _address("6.6.6.6", forwarded, ("10.0.0.0/8",)) == "6.6.6.6"
