"""A fuzzer of the whole server: broken beginnings, chunks, lengths, nesting, arrays and filters over a real socket.

Quick in every run. ``LABSIM_FUZZ=1`` sends 100,000 inputs, and bounds memory and the answer to others.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary, struct_to_binary

from labsim.endpoints.opcua.core.services import SERVICES
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint

LONG = os.environ.get("LABSIM_FUZZ") == "1"
INPUTS = 100_000 if LONG else 600
BATCH = 500 if LONG else 150
ANSWER_WITHIN_S = 2.0
MEMORY_MB = 50
NONE = b"http://opcfoundation.org/UA/SecurityPolicy#None"
HELLO = struct.pack("<4sIIIIIIi", b"HELF", 32, 0, 65535, 65535, 0, 0, 0)
IN_SESSION, TOKEN, NUMBER = b"in a session", b"\xa5" * 32, 0xA5A6A7A8
"""How an input says that it needs a session, and what stands for its token and its subscription."""
FAULT = struct.pack("<H", ua.ObjectIds.ServiceFault_Encoding_DefaultBinary)
SLOTS = 10  # no more than there may be sessions that are not activated yet
LENGTHS = (0, 1, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)


def resident_mb() -> float:
    """Memory of this process; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    return int(next(row for row in status.read_text().splitlines() if row.startswith("VmRSS")).split()[1]) / 1024


def opening(sequence: int = 1, uri: bytes = NONE, inner: bytes | None = None) -> bytes:
    """An OPN message."""
    if inner is None:
        asked = ua.OpenSecureChannelRequest()
        asked.Parameters.SecurityMode, asked.Parameters.RequestedLifetime = ua.MessageSecurityMode.None_, 60_000
        inner = struct_to_binary(asked)
    body = struct.pack("<i", len(uri)) + uri + b"\xff" * 8 + struct.pack("<II", sequence, 1) + inner
    return struct.pack("<4sII", b"OPNF", 12 + len(body), 0) + body


def nested(kind: int, depth: int) -> bytes:
    """Variants in Variants, or DiagnosticInfos in DiagnosticInfos."""
    return bytes([kind]) * depth


def deep_filter(random_: random.Random) -> Any:
    """An event filter whose elements refer to each other."""
    filter_ = ua.EventFilter()
    clause = ua.SimpleAttributeOperand(ua.NodeId(2041), [ua.QualifiedName("Severity", 0)], 13, None)
    filter_.SelectClauses = [clause] * random_.choice([1, 3, 200])
    elements = []
    for _ in range(random_.choice([1, 5, 50, 400])):
        one = ua.ContentFilterElement()
        one.FilterOperator = ua.FilterOperator(random_.randrange(18))
        operands: list[Any] = [
            ua.ElementOperand(random_.choice([0, 1, 2, 399, 2**32 - 1])), ua.LiteralOperand(ua.Variant(1)), clause,
        ]  # fmt: skip
        one.FilterOperands = [random_.choice(operands) for _ in range(random_.randrange(4))]
        elements.append(one)
    filter_.WhereClause.Elements = elements
    return filter_


class Inputs:
    """Makes inputs; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random, self.token = random.Random(seed), ua.NodeId(TOKEN, 0, ua.NodeIdType.ByteString)
        self._kinds: list[Callable[[], list[bytes]]] = [
            self.rubbish, self.hello, self.open, self.chunks, self.service, self.service, self.variant, self.filter,
        ]  # fmt: skip
        self._valid = [self._fill(service.message()) for service in SERVICES.values()]

    def _fill(self, message: Any) -> bytes:
        message.RequestHeader.AuthenticationToken = self.token
        return bytes(struct_to_binary(message))

    def next(self) -> list[bytes]:
        """What one connection sends, in pieces."""
        return self.random.choice(self._kinds)()

    def bend(self, data: bytes) -> bytes:
        """Change bytes, lengths, or the end."""
        found = bytearray(data)
        for _ in range(self.random.randrange(1, 5)):
            at = self.random.randrange(len(found)) if found else 0
            match self.random.randrange(4):
                case 0:
                    found[at : at + 1] = self.random.randbytes(1)
                case 1:
                    found[at : at + 4] = struct.pack("<I", self.random.choice(LENGTHS))
                case 2:
                    del found[at:]
                case _:
                    found[at:at] = self.random.randbytes(self.random.randrange(9))
        return bytes(found)

    def message(self, body: bytes, final: bytes = b"F", sequence: int = 2, request: int = 9) -> bytes:
        """A MSG chunk; channel, token and sequence are written in by the sender."""
        return struct.pack("<3scIIIII", b"MSG", final, 24 + len(body), 0, 1, sequence, request) + body

    def rubbish(self) -> list[bytes]:
        """Bytes that are nothing."""
        return [self.random.randbytes(self.random.randrange(200))]

    def hello(self) -> list[bytes]:
        """A bent HEL."""
        return [self.bend(HELLO)]

    def open(self) -> list[bytes]:
        """A bent OPN."""
        return [HELLO, self.bend(opening(uri=self.random.choice([NONE, NONE[:-4] + b"Basic256Sha256", b""])))]

    def chunks(self) -> list[bytes]:
        """Chunks that do not belong together, end, or fit."""
        pieces = []
        for sequence in range(2, 2 + self.random.randrange(1, 8)):
            final = self.random.choice([b"C", b"C", b"A", b"F", b"X"])
            body = self.random.randbytes(self.random.choice([0, 10, 3000]))
            pieces.append(
                self.message(body, final, sequence + self.random.choice([0, 0, 0, 1]), self.random.choice([9, 9, 8]))
            )
        return [IN_SESSION, *pieces]

    def service(self) -> list[bytes]:
        """A bent request of any service."""
        return [IN_SESSION, self.message(self.bend(self.random.choice(self._valid)))]

    def variant(self) -> list[bytes]:
        """A Write whose value promises more than it has."""
        asked = ua.WriteRequest()
        asked.Parameters.NodesToWrite = [
            ua.WriteValue(ua.NodeId("press1.order", 2), 13, None, ua.DataValue(ua.Variant()))
        ]
        body = self._fill(asked)
        body = body[: body.rfind(b"\x01\x00")]
        length = struct.pack("<I", self.random.choice(LENGTHS))
        value = self.random.choice(
            [
                b"\x01" + nested(0x18, self.random.choice([10, 1000, 20_000])),
                b"\x01\x19" + nested(0x40, self.random.choice([10, 1000, 20_000])),
                b"\x01" + bytes([0x80 | self.random.randrange(64)]) + length + self.random.randbytes(20),
                b"\x01" + bytes([0xC0 | self.random.randrange(26)]) + struct.pack("<i", 1) + b"\1\2\3\4" + length * 3,
                b"\x01\x16" + b"\x01\x00\x01\x00\x01" + length + self.random.randbytes(12),
            ]
        )
        return [IN_SESSION, self.message(body + value)]

    def filter(self) -> list[bytes]:
        """A CreateMonitoredItems with a deep filter, bent half of the time."""
        asked, one = ua.CreateMonitoredItemsRequest(), ua.MonitoredItemCreateRequest()
        one.ItemToMonitor, one.MonitoringMode = ua.ReadValueId(ua.NodeId(2253), 12), ua.MonitoringMode.Reporting
        one.RequestedParameters.Filter = deep_filter(self.random)
        asked.Parameters.ItemsToCreate, asked.Parameters.SubscriptionId = [one], NUMBER
        body = self._fill(asked)
        return [IN_SESSION, self.message(self.bend(body) if self.random.random() < 0.5 else body)]


class Slot:
    """A place from which one connection after another strikes, each moving one session to itself first."""

    def __init__(self, port: int) -> None:
        self.port, self.token, self.subscription, self.reached = port, bytes(TOKEN), NUMBER, 0

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """Greet and open a channel; its id."""
        writer.write(HELLO + opening())
        await reader.readexactly(28)
        return int(struct.unpack_from("<I", await self._answer(reader), 8)[0])

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        head = await asyncio.wait_for(reader.readexactly(8), 5)
        return head + await asyncio.wait_for(reader.readexactly(struct.unpack_from("<I", head, 4)[0] - 8), 5)

    async def _ask(self, streams: Any, channel: int, sequence: int, message: Any) -> Any:
        """Send a whole request; its response, or None when it is a fault."""
        reader, writer = streams
        message.RequestHeader.AuthenticationToken = ua.NodeId(self.token, 0, ua.NodeIdType.ByteString)
        body = struct_to_binary(message)
        writer.write(struct.pack("<4sIIIII", b"MSGF", 24 + len(body), channel, 1, sequence, sequence) + body)
        answer = (await self._answer(reader))[24:]
        kind = getattr(ua, type(message).__name__.replace("Request", "Response"))
        return None if answer[2:4] == FAULT else struct_from_binary(kind, Buffer(answer))

    async def _log_in(self, streams: Any, channel: int) -> int:
        """Move the session here, or make another with a subscription; the next sequence number."""
        if await self._ask(streams, channel, 2, ua.ActivateSessionRequest()) is not None:
            return 3
        created = await self._ask(streams, channel, 3, ua.CreateSessionRequest())
        self.token = created.Parameters.AuthenticationToken.Identifier
        await self._ask(streams, channel, 4, ua.ActivateSessionRequest())
        asked = ua.CreateSubscriptionRequest()
        asked.Parameters.RequestedPublishingInterval, asked.Parameters.RequestedLifetimeCount = 1000, 60_000
        asked.Parameters.RequestedMaxKeepAliveCount = 20_000
        self.subscription = (await self._ask(streams, channel, 5, asked)).Parameters.SubscriptionId
        return 6

    async def strike(self, pieces: list[bytes]) -> None:
        """Send an input over a connection of its own, and see it end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            if pieces[0] is IN_SESSION:
                channel = await self._open(reader, writer)
                sequence = await self._log_in((reader, writer), channel)
                for number, piece in enumerate(pieces[1:]):
                    here = struct.pack("<III", channel, 1, sequence + number)
                    body = piece[20:].replace(bytes(TOKEN), self.token)
                    body = body.replace(struct.pack("<I", NUMBER), struct.pack("<I", self.subscription))
                    writer.write(piece[:8] + here + body)
                    self.reached += 1
            else:
                for piece in pieces:
                    writer.write(piece)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 5)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # cut off: that is an answer
        finally:
            writer.close()


@pytest.mark.timeout(3600 if LONG else 60)
async def test_any_input_leaves_the_server_to_others(plant: Any, caplog: Any) -> None:
    """After each batch of broken inputs another client's read is answered; nothing escaped, and memory did not grow."""
    escaped: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: escaped.append(context))
    caplog.set_level(logging.ERROR)
    kept: list[int] = [0]
    async with OpcuaEndpoint(plant, ["press1"], lambda _event: kept.__setitem__(0, kept[0] + 1)) as endpoint:
        url = endpoint.addresses()[0].url
        port = int(url.rpartition(":")[2])
        async with Client(url, timeout=ANSWER_WITHIN_S) as client:
            force = client.get_node("ns=2;s=press1.force")
            inputs, slots = Inputs(4840), [Slot(port) for _ in range(SLOTS)]
            start = 0.0
            for done in range(0, INPUTS, BATCH):
                for _ in range(0, BATCH, SLOTS):
                    await asyncio.gather(*(slot.strike(inputs.next()) for slot in slots))
                assert await asyncio.wait_for(force.read_value(), ANSWER_WITHIN_S) == 50.0
                start = start or resident_mb()  # after the first batch: caches are warm
                if LONG and done % 10_000 == 0:
                    print(f"{done + BATCH} inputs, {resident_mb() - start:+.1f} MB")  # noqa: T201 - the long run tells
            assert sum(slot.reached for slot in slots) > INPUTS / 3
            assert len(endpoint._core.sessions) <= 50
        assert resident_mb() - start < MEMORY_MB
    assert kept[0] > INPUTS
    assert escaped == []
    ours = [record for record in caplog.records if record.name.startswith("labsim")]
    assert ours == [], ours[0].exc_info


async def test_a_write_of_30_mb_meets_its_limit(plant: Any) -> None:
    """The connection is cut while the message arrives, with a UA error; others are served."""
    async with OpcuaEndpoint(plant, ["press1"], lambda _event: None) as endpoint:
        url = endpoint.addresses()[0].url
        port = int(url.rpartition(":")[2])
        async with Client(url, timeout=60) as other:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HELLO + opening())
            head = await reader.readexactly(28)
            head = await reader.read(65536)
            channel = struct.unpack_from("<I", head, 8)[0]
            sent = 0
            try:
                for sequence in range(2, 500):
                    chunk = struct.pack("<4sIIIII", b"MSGC", 65_024, channel, 1, sequence, 9) + b"\1" * 65_000
                    writer.write(chunk)
                    sent += len(chunk)
                    await writer.drain()
                error = await reader.read(64)
            except ConnectionError:
                error = b"ERRF"  # it was cut before all was sent; the ERR may be lost with the reset
            writer.close()
            assert error[:4] == b"ERRF"
            assert sent <= 31 * 1024 * 1024
            assert await asyncio.wait_for(other.get_node("ns=2;s=press1.force").read_value(), ANSWER_WITHIN_S) == 50.0


def test_a_read_of_200_000_nodes_meets_its_limit(server: Any, peer: Any, connect: Any) -> None:
    """It is larger than a message may be: cut off before it is decoded; another client goes on."""
    other = connect(server).login()
    asked = ua.ReadRequest()
    asked.RequestHeader.AuthenticationToken = peer.token
    asked.Parameters.NodesToRead = [ua.ReadValueId(ua.NodeId(2258), 13)] * 200_000
    body = struct_to_binary(asked)
    begin = time.process_time()
    for at in range(0, len(body), 60_000):
        if not peer.hung:
            peer.send(body[at : at + 60_000], final=b"F" if at + 60_000 >= len(body) else b"C", request=5)
    assert peer.hung
    assert time.process_time() - begin < ANSWER_WITHIN_S
    assert other.read("force").Results[0].Value.Value == 50.0


def test_2000_sessions_that_are_never_activated(server: Any, connect: Any) -> None:
    """No more are kept than the limit says, and who wants to work can."""
    peer = connect(server)
    for _ in range(2000):
        assert peer.result(ua.CreateSessionRequest()) == 0
    assert len(server.sessions) <= server.limits.max_unactivated_sessions
    assert connect(server).login().read("force").Results[0].Value.Value == 50.0
