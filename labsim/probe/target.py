"""Where a server is: ``HOST``, ``HOST:PORT`` or an address as the ``ready`` line prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from labsim.errors import InputError, did_you_mean

MODBUS = {"modbus-tcp": 502, "modbus-tls": 802, "modbus-rtu-tcp": 502, "modbus-rtu": 0}
"""Port by scheme; ``modbus-rtu-tcp`` is RTU frames over TCP, as serial device servers do it, ``modbus-rtu`` a serial port."""
MQTT = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""Port by scheme; ``ws`` and ``wss`` are MQTT over WebSocket."""
OPCUA = {"opc.tcp": 4840}
"""Port by scheme."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server. ``user`` and ``password`` may stand before the host.

    ``path`` is that of a WebSocket or an OPC UA server, or a serial port's name; a port has no host, and its ``query`` may
    set the line.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""
    path: str = ""
    query: str = ""

    def __str__(self) -> str:
        if not self.host:
            return f"{self.scheme}://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_target(text: str, schemes: Mapping[str, int]) -> Target:
    """A target of one protocol; the first scheme counts when none is written.

    Raises:
        InputError: not an address, another scheme, or no port there can be.
    """
    plain = next(iter(schemes))
    url = text if "://" in text else f"{plain}://{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(
            f"{text!r} is not an address ({error}). Write HOST, HOST:PORT or {plain}://HOST:PORT."
        ) from None
    if parts.scheme not in schemes:
        raise InputError(f"{parts.scheme!r} cannot be spoken here. {did_you_mean(parts.scheme, schemes)}")
    if schemes[parts.scheme] == 0:
        return Target(parts.scheme, "", 0, path=parts.netloc + parts.path, query=parts.query)
    if not host or any(char.isspace() for char in host):
        raise InputError(f"{text!r} names no host. Write HOST, HOST:PORT or {plain}://HOST:PORT.")
    if port == 0:
        raise InputError(f"{text!r} has port 0. A port is 1 to 65535.")
    return Target(
        parts.scheme,
        host,
        port or schemes[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.path,
    )
