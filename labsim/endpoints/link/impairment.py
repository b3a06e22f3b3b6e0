"""What is wrong with a link, for whom."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Literal

State = Literal["slow", "throttle", "black-hole", "flap", "reset", "refuse"]


@dataclass(frozen=True, slots=True, eq=False)
class Impairment:
    """One state of a link; two with the same values are still two.

    Attributes:
        state: ``slow`` holds up what is sent, ``throttle`` lets few bytes through, ``black-hole`` takes bytes and lets none
            through, ``flap`` is a black hole by turns, ``reset`` cuts every connection, ``refuse`` turns new ones away.
        client: An address or a network (``10.0.0.0/24``) whose connections it is about; "" for all.
        delay: Seconds added each way.
        jitter: Most seconds by which each piece is earlier or later than that.
        rate: Bytes per second each way.
        period: Seconds of one turn of a flap, which begins with the link down.
        duty: Part of the period in which the link works.
    """

    state: State
    client: str = ""
    delay: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    period: float = 0.0
    duty: float = 0.5

    def concerns(self, host: str) -> bool:
        """Whether it is about connections from ``host``."""
        if not self.client:
            return True
        network = ip_network(self.client, strict=False)
        address = _address(host)
        return address is not None and address.version == network.version and address in network

    def facts(self) -> dict[str, Any]:
        """What evidence says of it beside its state: the values that matter to it."""
        used = {"client", *_USED.get(self.state, ())}
        found = {field.name: getattr(self, field.name) for field in fields(self) if field.name in used}
        return {name: value for name, value in found.items() if value != ""}


_USED = {"slow": ("delay", "jitter"), "throttle": ("rate",), "flap": ("period", "duty")}


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address of a peer, an IPv4 one when IPv6 only wraps it; None for a peer without one."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address in _MAPPED and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


_MAPPED = IPv6Network("::ffff:0:0/96")
