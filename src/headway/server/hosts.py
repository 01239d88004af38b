"""Names and addresses: which the server answers to, which it may listen on, whom it believes.

A ``Host`` header is parsed and compared as a whole. Nothing is matched by pattern, so that no name
that merely looks like an allowed one passes: this is what keeps a web page of somebody else's from
talking to a server on the reader's own machine (DNS rebinding).
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from headway.errors import ConfigurationError, InvalidValueError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[^\[\]:]{1,253}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?")


class Host(NamedTuple):
    """What a ``Host`` header or the host of an origin says."""

    name: str
    """In lower case; an address in its shortest form, without brackets."""
    port: int | None


def parse_host(text: str) -> Host | None:
    """The host that a text names; None where it is no host, with or without a port."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    name = _six(match["six"]) if match["six"] else _name(match["name"].lower())
    port = None if match["port"] is None else int(match["port"])
    if name is None or (port is not None and not 0 < port < 1 << 16):
        return None
    return Host(name, port)


def _six(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None


def _name(text: str) -> str | None:
    labels = text.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if not labels[-1].isdecimal():
        # A browser reads 0x7f.1 as an address: what ends in a number must be one.
        return None if labels[-1].startswith("0x") else text
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def origin_of(text: str) -> tuple[str, Host] | None:
    """Scheme and host of an ``Origin`` header; None for ``null`` and what is no origin."""
    scheme, _, rest = text.partition("://")
    host = parse_host(rest)
    if scheme not in DEFAULT_PORTS or host is None:
        return None
    return scheme, host._replace(port=host.port or DEFAULT_PORTS[scheme])


def parse_address(text: str) -> Address | None:
    """An address; None where it is none, as the peer of a unix socket."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # What an IPv4 client is called on a socket for both kinds.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    address = parse_address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def allowed_names(listen: str, names: Iterable[str], machine: str) -> frozenset[str]:
    """The names that the server answers to.

    Args:
        listen: Where it listens.
        names: More names, as its administrator gave them.
        machine: The name of this machine.

    Raises:
        ConfigurationError: One of the names is none.
    """
    found = set(LOOPBACK_NAMES)
    for name in names:
        host = parse_host(name)
        if host is None or host.port is not None:
            raise ConfigurationError(
                f"the allowed host {name!r} is not accepted: give a name or an address without "
                "scheme and port, such as headway.example.org"
            )
        found.add(host.name)
    if not is_loopback(listen):
        candidates = (parse_host(one) for one in (listen, f"[{listen}]", machine))
        found |= {host.name for host in candidates if host is not None}
    return frozenset(found - {"0.0.0.0", "::"})  # noqa: S104  (left out)


def trusted_networks(given: Sequence[str]) -> tuple[Network, ...]:
    """The addresses of proxies, from the forms ``10.0.0.5`` and ``10.0.0.0/24``.

    Raises:
        ConfigurationError: One of them is no address.
    """
    found: list[Network] = []
    for text in given:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ConfigurationError(
                f"the trusted proxy {text!r} is not accepted ({error}): give its address, or a "
                "network such as 10.0.0.0/24"
            ) from error
    return tuple(found)


def is_trusted(address: Address | None, networks: Sequence[Network]) -> bool:
    """Whether an address is that of a proxy."""
    return address is not None and any(address in network for network in networks)


def client_address(peer: str, forwarded: str, networks: Sequence[Network]) -> str:
    """Whose request it is: the peer, or whom a trusted proxy forwards for.

    Args:
        peer: The address at the other end of the connection.
        forwarded: The ``X-Forwarded-For`` headers, joined by commas; anybody may have written the
            left ones, each proxy adds the one that it was called by on the right.
        networks: Those of the trusted proxies.
    """
    current = peer
    for text in reversed(forwarded.split(",") if forwarded else []):
        if not is_trusted(parse_address(current), networks):
            break
        if parse_address(text.strip()) is None:
            break
        current = text.strip()
    return current


def check_exposure(
    listen: str, *, encrypted: bool, networks: Sequence[Network], insecure_http: bool
) -> None:
    """Refuse to send tokens over a network where everybody on the way can read them.

    Raises:
        ConfigurationError: The server would listen beyond this machine without TLS.
    """
    if encrypted or insecure_http or networks or is_loopback(listen):
        return
    raise ConfigurationError(
        f"refusing to listen on {listen} without TLS, since everybody on the way could read tokens "
        "and data: give --certificate and --key; or --trusted-proxy ADDRESS, where a proxy does "
        "TLS; or --insecure-http, where the network itself is trusted"
    )


def check_host(values: Sequence[str], allowed: frozenset[str], local: str | None) -> Host:
    """The host that a request is for.

    Args:
        values: All of its ``Host`` headers.
        allowed: The names that the server answers to.
        local: The address of this end of the connection; an address cannot be rebound, so it is
            allowed too.

    Raises:
        InvalidValueError: There is not exactly one, it cannot be read, or is not allowed.
    """
    if len(values) != 1:
        raise InvalidValueError(f"the request has {len(values)} Host headers: send one")
    host = parse_host(values[0])
    if host is None:
        raise InvalidValueError(f"the Host header {values[0][:300]!r} is no host name")
    here = parse_address(local) if local else None
    if host.name not in allowed and host.name != str(here):
        raise InvalidValueError(
            f"this server does not answer to the name {host.name!r}: use one of "
            f"{', '.join(sorted(allowed))}, or have it allowed with --allowed-host"
        )
    return host
