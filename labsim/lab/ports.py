"""Which port each endpoint of a lab listens on."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack

from labsim.errors import EndpointError

_OFFSET = {"opcua": 0, "modbus": 1, "mqtt": 2}
CONTROL_OFFSET = 3
_FURTHER = 4
_BASES, _SPARE = (21000, 31000, 20), 10
"""Where `free_base` looks, below the ports that systems give to outgoing connections."""


def endpoint_ports(wanted: Sequence[tuple[str, int]], port_base: int | None) -> list[int]:
    """Ports for endpoints given as ``(protocol, port of the scenario)``, in their order.

    With a base of 0 every port is 0: the system chooses free ones. With a base N the first endpoint of a protocol has
    its fixed place (OPC UA N, Modbus N+1, MQTT N+2), so that a seat's addresses never depend on the scenario; HTTP and
    second endpoints of a protocol come after them.
    """
    if port_base is None:
        return [port for _, port in wanted]
    if port_base == 0:
        return [0] * len(wanted)
    ports, seen, further = [], set(), port_base + _FURTHER
    for protocol, _ in wanted:
        if protocol in seen or protocol not in _OFFSET:
            ports.append(further)
            further += 1
        else:
            ports.append(port_base + _OFFSET[protocol])
        seen.add(protocol)
    return ports


def control_port(port_base: int | None) -> int:
    """Port of the control API: fixed only with a base."""
    return port_base + CONTROL_OFFSET if port_base else 0


def free_base(host: str) -> int:
    """A base whose first `_SPARE` ports are free right now.

    Raises:
        EndpointError: none was found.
    """
    for base in range(*_BASES):
        with ExitStack() as stack:
            try:
                for port in range(base, base + _SPARE):
                    stack.enter_context(socket.create_server((host, port)))
            except OSError:
                continue
            return base
    raise EndpointError(f"no {_SPARE} free ports in a row were found on {host}. Choose some with --port-base.")
