"""What a scenario says about a Modbus server."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from labsim.quantity import Duration
from labsim.scenario.part import Part, Path_, Port


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an address or a network such as '192.0.2.0/24'") from None
    return text


Network = Annotated[str, AfterValidator(_network)]


class WatchdogSpec(Part):
    """A device that wants to hear from its client, and goes to a safe state when it does not.

    Attributes:
        reset: With ``recovery: reset``: the tag that ends it.
        time: Plant time without a trigger after which it expires. It begins with the first trigger.
        trigger: What keeps it alive: ``any`` good request, any good ``write``, or these function codes.
        safe: Values by tag name that the device takes on expiry.
        writes: Whether writes are carried out while it is expired, or answered with exception 04.
        recovery: ``communication``: the next trigger ends it; ``reset``: the tag ``reset`` becomes something else than 0,
            which a client may write even while writes are refused.
        restore: On recovery the tags of ``safe`` get back what they had.
        close: On expiry the device hangs up on every client.
    """

    time: Annotated[Duration, Field(gt=0)]
    trigger: Literal["any", "write"] | tuple[Annotated[int, Field(ge=1, le=127)], ...] = "any"
    safe: dict[str, bool | int | float | str] = Field(default_factory=dict)
    writes: Literal["refuse", "take"] = "refuse"
    recovery: Literal["communication", "reset"] = "communication"
    reset: str | None = None
    restore: bool = False
    close: bool = False

    @model_validator(mode="after")
    def _whole(self) -> WatchdogSpec:
        if (self.recovery == "reset") != (self.reset is not None):
            raise ValueError("'recovery: reset' and 'reset', the tag that does it, belong together")
        return self


CertificateName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
"""A common name or a role; it is the name of a file too."""


class ModbusTlsSpec(Part):
    """Modbus/TCP Security: clients prove themselves with a certificate, and what they may do is their role's.

    The role is in the certificate's extension 1.3.6.1.4.1.50316.802.1, or follows from its common name (``roles``). The lab
    makes an authority, the server's certificate and clients' certificates: one for each name in ``roles``, and one for each
    other role in ``permissions`` that carries it.

    Attributes:
        roles: Role by common name, for certificates without the extension.
        permissions: Function codes by role, or ``read`` (no writes) or ``all``. A role that is not listed may do nothing;
            without any permission everybody with a certificate may do everything.
    """

    roles: dict[CertificateName, CertificateName] = Field(default_factory=dict)
    permissions: dict[CertificateName, Literal["all", "read"] | tuple[Annotated[int, Field(ge=1, le=127)], ...]] = (
        Field(default_factory=dict)
    )


class ModbusSpec(Part):
    """A Modbus server with one device per unit id. Durations are plant time.

    Attributes:
        tls: With ``transport: tls``: who may do what, by certificate.
        units: Device by unit id.
        transport: ``tcp``; ``tls`` (port 802 by default); ``rtu-over-tcp``; ``serial``.
        port: TCP port.
        serial: With ``transport: serial`` the port's name (``/dev/ttyUSB0``, ``COM3``), or ``pty`` for a pseudo terminal.
        unknown_unit: What a unit nobody has answers: nothing, exception 0B (``gateway``) or 0A (``no-path``).
        max_sessions: The most connections at once; none for any number.
        above_max: What one more meets: it is refused, it replaces the oldest, or it is left to hang.
        idle: A connection without a byte for that long is closed; none keeps it.
        delay: Time the device takes for each request, one after the other.
        backlog: Bytes of answers that a client may leave unread before it is hung up on.
        max_registers: The most registers of one request by unit, where it is fewer than the device's own.
        clients: Addresses and networks (``192.0.2.0/24``) that may connect; none for all.
        watchdogs: Watchdog by device.
    """

    transport: Literal["tcp", "tls", "rtu-over-tcp", "serial"] = "tcp"
    port: Port = 5020
    serial: str = "pty"
    tls: ModbusTlsSpec = Field(default_factory=ModbusTlsSpec)
    units: dict[Annotated[int, Field(ge=0, le=255, strict=True)], Path_]
    unknown_unit: Literal["silent", "gateway", "no-path"] = "silent"
    max_sessions: Annotated[int, Field(ge=1, strict=True)] | None = None
    above_max: Literal["refuse", "drop-oldest", "hang"] = "refuse"
    idle: Annotated[Duration, Field(gt=0)] | None = None
    delay: Duration = 0.0
    backlog: Annotated[int, Field(ge=512, strict=True)] = 65536
    max_registers: dict[Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=1, le=125)]] = Field(
        default_factory=dict
    )
    clients: tuple[Network, ...] = ()
    watchdogs: dict[Path_, WatchdogSpec] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _standard_port(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("transport") == "tls" and "port" not in data:
            return {**data, "port": 802}
        return data

    @model_validator(mode="after")
    def _whole(self) -> ModbusSpec:
        if strangers := set(self.watchdogs) - set(self.units.values()):
            raise ValueError(f"a watchdog watches a device of 'units'; {', '.join(sorted(strangers))} is none")
        if strange := set(self.max_registers) - set(self.units):
            raise ValueError(f"'max_registers' is by unit id; there is no unit {', '.join(map(str, sorted(strange)))}")
        if self.transport in ("serial", "rtu-over-tcp") and 0 in self.units:
            raise ValueError("unit 0 is the broadcast address of a serial line: give the device another")
        if self.transport == "serial" and (self.clients or self.max_sessions is not None or self.idle is not None):
            raise ValueError("'clients', 'max_sessions' and 'idle' are about connections, and a serial line has none")
        return self
