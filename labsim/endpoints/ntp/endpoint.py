"""The NTP endpoint of a lab: one time server on a UDP port. Datagrams pass no link; see docs/links.md."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from labsim.endpoints.endpoint import Address
from labsim.endpoints.ntp.packet import Clock, answer, from_ntp, parse
from labsim.errors import EndpointError, EvidenceError, InputError
from labsim.evidence.event import Event, Sink
from labsim.plant.plant import Plant

_UPDATE_NS = 64_000_000_000
_REFERENCES = {1: b"GPS", 2: b"\x0a\x00\x00\x01"}


class NtpEndpoint(asyncio.DatagramProtocol):
    """A time server for one lab; see `labsim.endpoints.endpoint.Endpoint`.

    Args:
        plant: The plant, whose time is told.
        device: Path of the time server.
        sink: Where evidence goes.
        host: Address to listen on.
        port: UDP port; 0 chooses a free one.

    Raises:
        InputError: the device is no time server.
    """

    protocol = "ntp"

    def __init__(self, plant: Plant, device: str, sink: Sink, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self._plant, self._sink = plant, sink
        self._device = plant.devices[device]
        if self._device.interface.time is None:
            raise InputError(f"ntp: {device} is a {self._device.interface.type}, which tells no time.")
        self._tags = self._device.interface.time

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self.host, self.port))
        except OSError as error:
            raise EndpointError(
                f"ntp: cannot listen on {self.host}:{self.port} ({error.strerror}). Choose other ports with --port-base."
            ) from None
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def addresses(self) -> list[Address]:
        """Where it listens; known after entering."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [Address(self._device.path, self.protocol, f"ntp://{host}:{self.port}")]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a client's question; what is none gets no answer."""
        reply = self._reply(data, f"{addr[0]}:{addr[1]}")
        if reply is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """A client that is gone is no concern of a server."""

    def _reply(self, data: bytes, client: str) -> bytes | None:
        question = parse(data)
        now = self._now_ns()
        if question is None:
            self._keep(Event(kind="reject", protocol="ntp", client=client, detail={"bytes": data[:48].hex()}))
            return None
        if self._device.condition.dead:
            return None
        clock = self._clock(now)
        detail = {
            "version": question.version,
            "client_ns": from_ntp(question.transmit, now),
            "server_ns": now,
            "stratum": clock.stratum,
            "synchronised": clock.synchronised,
        }
        kept = self._keep(Event(kind="request", protocol="ntp", client=client, device=self._device.path, detail=detail))
        return answer(question, clock, now, self._now_ns()) if kept else None

    def _keep(self, event: Event) -> bool:
        try:
            self._sink(event)
        except EvidenceError:  # what is not kept is not answered
            return False
        return True

    def _now_ns(self) -> int:
        """The server's own idea of UTC."""
        clock, device = self._plant.clock, self._device
        offset = round(float(device[self._tags.offset]) * 1e9) + device.condition.skew_ns
        return clock.utc_ns(clock.now_ns()) + offset

    def _clock(self, now_ns: int) -> Clock:
        stratum = int(self._device[self._tags.stratum])
        synchronised = bool(self._device[self._tags.synchronised])
        return Clock(stratum, _REFERENCES.get(stratum, b"\x0a\x00\x00\x02"), synchronised, now_ns - now_ns % _UPDATE_NS)
