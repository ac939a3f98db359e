"""Where a request comes from: the peer, or what the proxy in front of it has written."""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_address(text: str) -> Address | None:
    """An IP address, or None; an IPv4 address in IPv6's clothes is one of IPv4."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network(text: str, ipv4_bits: int = 32) -> str:
    """What counts as one client: who has an IPv6 address has all those of its /64."""
    address = parse_address(text)
    if address is None:
        return "unknown"
    bits = ipv4_bits if address.version == 4 else 64
    return str(ipaddress.ip_network((address.packed, bits), strict=False))


class ClientAddress:
    """Takes a client's address and scheme from a trusted proxy.

    A proxy appends to X-Forwarded-For, so that only the last value is its own: all before it, and everything where the
    peer is no trusted proxy, is whatever a client likes to say.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        """`trusted_proxies` are networks such as 10.0.0.0/8."""
        self.app = app
        self.trusted = [ipaddress.ip_network(proxy) for proxy in trusted_proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._trusts(scope["client"]):
            headers = Headers(scope=scope)
            # Several headers of one name are one list.
            if address := parse_address(",".join(headers.getlist("x-forwarded-for")).rpartition(",")[2]):
                scope["client"] = (str(address), 0)
            scheme = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip()
            if scheme in ("http", "https"):
                scope["scheme"] = scheme
        await self.app(scope, receive, send)

    def _trusts(self, peer: tuple[str, int] | None) -> bool:
        address = parse_address(peer[0]) if peer and self.trusted else None
        return address is not None and any(address in trusted for trusted in self.trusted)
