"""Names and addresses, parsed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import ConfigurationError, InvalidValueError
from headway.server.hosts import (
    LOOPBACK_NAMES,
    Host,
    allowed_names,
    check_exposure,
    check_host,
    client_address,
    origin_of,
    parse_host,
    trusted_networks,
)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost", None)),
        ("LOCALHOST:8850", Host("localhost", 8850)),
        ("127.0.0.1:1", Host("127.0.0.1", 1)),
        ("[::1]:8850", Host("::1", 8850)),
        ("[0:0::0:1]", Host("::1", None)),
        ("headway.example.org", Host("headway.example.org", None)),
        ("my_host-1", Host("my_host-1", None)),
    ],
)
def test_a_host_is_read(text: str, host: Host) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":8850",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:８850",
        "localhost.",
        "local host",
        "a..b",
        "127.1",
        "127.0.0.01",
        "2130706433",
        "0x7f.0.0.1",
        "127.0.0.0x1",
        "[::1",
        "::1",
        "[::1]x",
        "[::g]",
        "[127.0.0.1]",
        "user@localhost",
        "localhost/path",
        "localhost#",
        "a,b",
        "ｌocalhost",
        "-a",
        "a" * 300,
    ],
)
def test_what_is_no_host_is_not_read(text: str) -> None:
    assert parse_host(text) is None


@given(st.text())
def test_any_text_is_read_or_not(text: str) -> None:
    host = parse_host(text)
    assert host is None or host.name == host.name.lower()


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["localhost", "localhost"],
        ["evil.example"],
        ["127.0.0.1.evil.example"],
        ["localhost.evil.example"],
        ["evil.example:8850"],
        ["http://localhost"],
        ["[::2]"],
        ["0.0.0.0"],
        ["127.0.0.2"],
    ],
)
def test_a_request_for_another_host_is_refused(values: list[str]) -> None:
    with pytest.raises(InvalidValueError):
        check_host(values, LOOPBACK_NAMES, None)


@pytest.mark.parametrize("value", ["localhost", "LocalHost:9", "127.0.0.1", "[::1]:8850"])
def test_a_request_for_this_machine_is_taken(value: str) -> None:
    check_host([value], LOOPBACK_NAMES, None)


def test_the_address_that_was_connected_to_is_taken() -> None:
    assert check_host(["192.0.2.7:80"], LOOPBACK_NAMES, "192.0.2.7") == Host("192.0.2.7", 80)
    assert check_host(["192.0.2.7"], LOOPBACK_NAMES, "::ffff:192.0.2.7").name == "192.0.2.7"
    with pytest.raises(InvalidValueError):
        check_host(["192.0.2.8"], LOOPBACK_NAMES, "192.0.2.7")


@pytest.mark.parametrize("origin", ["null", "", "http://", "localhost", "file://", "http://a b"])
def test_what_is_no_origin_is_none(origin: str) -> None:
    assert origin_of(origin) is None


def test_an_origin_has_a_port() -> None:
    assert origin_of("https://a.example") == ("https", Host("a.example", 443))
    assert origin_of("http://a.example:8850") == ("http", Host("a.example", 8850))


def test_names_are_those_given_and_that_of_the_machine() -> None:
    assert allowed_names("127.0.0.1", [], "box") == LOOPBACK_NAMES
    assert allowed_names("0.0.0.0", ["A.example"], "box") == LOOPBACK_NAMES | {"a.example", "box"}
    assert allowed_names("192.0.2.7", [], "box") == LOOPBACK_NAMES | {"192.0.2.7", "box"}
    with pytest.raises(ConfigurationError, match="without scheme and port"):
        allowed_names("127.0.0.1", ["https://a.example"], "box")


def test_only_trusted_proxies_say_for_whom_they_ask() -> None:
    networks = trusted_networks(["10.0.0.0/24", "::1"])
    assert client_address("192.0.2.1", "198.51.100.1", networks) == "192.0.2.1"
    assert client_address("10.0.0.1", "198.51.100.1", networks) == "198.51.100.1"
    assert client_address("10.0.0.1", "6.6.6.6, 198.51.100.1", networks) == "198.51.100.1"
    assert client_address("10.0.0.1", "198.51.100.1, 10.0.0.2", networks) == "198.51.100.1"
    assert client_address("10.0.0.1", "who knows", networks) == "10.0.0.1"
    assert client_address("10.0.0.1", "", networks) == "10.0.0.1"
    with pytest.raises(ConfigurationError, match=r"10\.0\.0\.0/24"):
        trusted_networks(["proxy.example"])


@pytest.mark.parametrize("listen", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_on_loopback_tls_is_not_needed(listen: str) -> None:
    check_exposure(listen, encrypted=False, networks=(), insecure_http=False)


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "192.0.2.7", "box.example"])
def test_beyond_this_machine_it_is_tls_or_a_word_for_it(listen: str) -> None:
    with pytest.raises(ConfigurationError, match="--insecure-http"):
        check_exposure(listen, encrypted=False, networks=(), insecure_http=False)
    check_exposure(listen, encrypted=True, networks=(), insecure_http=False)
    check_exposure(listen, encrypted=False, networks=(), insecure_http=True)
    proxies = trusted_networks(["10.0.0.1"])
    check_exposure(listen, encrypted=False, networks=proxies, insecure_http=False)
