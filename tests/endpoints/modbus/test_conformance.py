"""Claims of the Modbus Application Protocol V1.1b3 (AP) and the TCP/IP Messaging Guide V1.0b (MG), byte by byte over raw sockets.

Each row is one claim: its section, the claim, request PDUs and what must come back for each ("-": no answer). Requests of one row
go over one connection, in order.
"""

# ruff: noqa: E501 - one claim is one row
from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from labsim.endpoints.modbus.endpoint import ModbusEndpoint

DEVICE: dict[str, Any] = {
    "registers": [
        {"doc": 1, "tag": "voltage", "type": "f32"},
        {"doc": 3, "tag": "setpoint", "type": "f32", "access": "rw"},
        {"doc": 5, "tag": "command", "type": "u16", "access": "rw"},
        {"doc": 6, "tag": "mode", "type": "u16", "access": "rw"},
        {"doc": 7, "constant": 0x1234, "type": "u16"},
        *[{"doc": 100 + i, "constant": i, "type": "u16"} for i in range(130)],
        {"doc": 65536, "constant": 9, "type": "u16"},
        {"doc": 1, "tag": "temperature", "type": "f32", "table": "input"},
        *[{"doc": 100 + i, "constant": i, "type": "u16", "table": "input"} for i in range(126)],
        {"doc": 1, "tag": "valve", "type": "bool", "table": "coil", "access": "rw"},
        {"doc": 2, "tag": "pump", "type": "bool", "table": "coil", "access": "rw"},
        *[{"doc": 3 + i, "constant": i % 3 == 0, "type": "bool", "table": "coil"} for i in range(2008)],
        {"doc": 1, "tag": "running", "type": "bool", "table": "discrete"},
        *[{"doc": 2 + i, "constant": i % 2, "type": "bool", "table": "discrete"} for i in range(2008)],
    ],
    "files": {
        4: [
            {"doc": 0, "constant": 0x1111, "type": "u16"},
            {"doc": 1, "constant": 0x0DFE, "type": "u16"},
            {"doc": 2, "constant": 0x0020, "type": "u16"},
            {"doc": 7, "tag": "setpoint", "type": "f32", "access": "rw"},
            {"doc": 9, "tag": "mode", "type": "u16", "access": "rw"},
            *[{"doc": 100 + i, "constant": i, "type": "u16"} for i in range(125)],
        ],
        3: [{"doc": 9, "constant": 0x33CD, "type": "u16"}, {"doc": 10, "constant": 0x0040, "type": "u16"}],
    },
    "queues": {0x4DE + 1: {"tag": "command"}},
    "exception_status": ["running", "valve", "pump"],
    "server_id": "AN-1 {serial}",
    "run_tag": "running",
    "identification": {0x80: "x" * 200, 0x81: "y" * 100},
}

CLAIMS: list[tuple[str, str, str, str]] = [
    ("AP 4.2", "Registers and addresses are big-endian", "03 0006 0001", "03 02 1234"),
    ("AP 4.4", "Wire address 0 is the first, register number 1", "03 0000 0002", "03 04 43668000"),
    ("AP 4.4", "Wire address 65535 can be reached", "03 ffff 0001", "03 02 0009"),
    ("AP 4.3", "Coils and discrete inputs are different tables", "01 0000 0001; 02 0000 0001", "01 01 00; 02 01 01"),
    ("AP 4.3", "Input and holding registers are different tables", "04 0000 0002; 03 0000 0002", "04 04 c14570a4; 03 04 43668000"),
    ("AP 5", "Function code 0 is not valid", "00 0000 0001", "80 01"),
    ("AP 5", "A code that is not public and not ours gets 01", "41", "c1 01"),
    ("AP 5", "A reserved code gets 01", "09 0000; 5a", "89 01; da 01"),
    ("AP 5", "Codes from 128 on are exceptions', and get 01", "ff 00", "ff 01"),
    ("AP 6.1", "FC01 gives one byte for up to eight coils", "01 0000 0003", "01 01 04"),
    ("AP 6.1", "FC01 pads the last byte with zeros", "01 0002 0009", "01 02 4900"),
    ("AP 6.1", "FC01 takes 2000 coils, in 250 bytes", "01 0000 07d0", "01 fa *250"),
    ("AP 6.1", "FC01 with 2001 coils gets 03", "01 0000 07d1", "81 03"),
    ("AP 6.1", "FC01 with no coil gets 03", "01 0000 0000", "81 03"),
    ("AP 6.1", "FC01 beyond the last coil gets 02", "01 07da 0001", "81 02"),
    ("AP 6.1", "FC01 that runs over the end gets 02", "01 07d9 0002", "81 02"),
    ("AP 6.1", "The count is judged before the address", "01 f000 0000", "81 03"),
    ("AP 6.2", "FC02 gives the first input in the lowest bit", "02 0000 0003", "02 01 05"),
    ("AP 6.2", "FC02 takes 2000 inputs", "02 0000 07d0", "02 fa *250"),
    ("AP 6.2", "FC02 with 0 or 2001 inputs gets 03", "02 0000 0000; 02 0000 07d1", "82 03; 82 03"),
    ("AP 6.2", "FC02 where there is no input gets 02", "02 1000 0001", "82 02"),
    ("AP 6.3", "FC03 gives twice as many bytes as registers", "03 0063 0003", "03 06 0000 0001 0002"),
    ("AP 6.3", "FC03 takes 125 registers", "03 0063 007d", "03 fa *250"),
    ("AP 6.3", "FC03 with 126 registers gets 03", "03 0063 007e", "83 03"),
    ("AP 6.3", "FC03 with no register gets 03", "03 0063 0000", "83 03"),
    ("AP 6.3", "FC03 in a hole gets 02", "03 0008 0001", "83 02"),
    ("AP 6.3", "FC03 over a hole gets 02", "03 0006 0002", "83 02"),
    ("AP 6.3", "FC03 does not go round at 65535", "03 ffff 0002", "83 02"),
    ("AP 6.4", "FC04 reads input registers", "04 0063 0002", "04 04 0000 0001"),
    ("AP 6.4", "FC04 takes 125 registers", "04 0063 007d", "04 fa *250"),
    ("AP 6.4", "FC04 with 0 or 126 registers gets 03", "04 0063 0000; 04 0063 007e", "84 03; 84 03"),
    ("AP 6.4", "FC04 in a hole gets 02", "04 0003 0001", "84 02"),
    ("AP 6.5", "FC05 FF00 sets, and echoes", "05 0000 ff00; 01 0000 0001", "05 0000 ff00; 01 01 01"),
    ("AP 6.5", "FC05 0000 resets, and echoes", "05 0000 ff00; 05 0000 0000; 01 0000 0001", "05 0000 ff00; 05 0000 0000; 01 01 00"),
    ("AP 6.5", "FC05 with another value gets 03 and changes nothing", "05 0000 0001; 01 0000 0001", "85 03; 01 01 00"),
    ("AP 6.5", "FC05 where there is no coil gets 02", "05 ffff ff00", "85 02"),
    ("AP 6.6", "FC06 writes one register, and echoes", "06 0004 0003; 03 0004 0001", "06 0004 0003; 03 02 0003"),
    ("AP 6.6", "FC06 in a hole gets 02", "06 0008 0001", "86 02"),
    ("AP 6.6", "FC06 with a value too short or too long gets 03", "06 0004 00; 06 0004 000300", "86 03; 86 03"),
    ("AP 6.7", "FC07 gives eight status bits", "07", "07 01"),
    ("AP 6.7", "FC07 follows the outputs", "05 0001 ff00; 07", "05 0001 ff00; 07 05"),
    ("AP 6.8.1 00", "FC08/00 returns what it was given", "08 0000 a537", "08 0000 a537"),
    ("AP 6.8.1 00", "FC08/00 returns data of any length", "08 0000 a537 0102 0304", "08 0000 a537 0102 0304"),
    ("AP 6.8.1 01", "FC08/01 clears the counters", "07; 08 0001 0000; 08 000e 0000", "07 01; 08 0001 0000; 08 000e 0001"),
    ("AP 6.8.1 02", "FC08/02 gives the diagnostic register", "08 0002 0000", "08 0002 0001"),
    ("AP 6.8.1 04", "FC08/04 is not answered, and nothing after it", "08 0004 0000; 03 0000 0001", "-; -"),
    ("AP 6.8.1 01", "FC08/01 ends listen-only mode without an answer", "08 0004 0000; 08 0001 0000; 07", "-; -; 07 01"),
    ("AP 6.8.1 0A", "FC08/0A clears all counters", "03 0008 0001; 08 000a 0000; 08 000d 0000", "83 02; 08 000a 0000; 08 000d 0000"),
    ("AP 6.8.1 0B", "FC08/0B counts what the device has heard", "07; 08 000b 0000", "07 01; 08 000b 0002"),
    ("AP 6.8.1 0C", "FC08/0C counts communication errors", "08 000c 0000", "08 000c 0000"),
    ("AP 6.8.1 0D", "FC08/0D counts exceptions", "03 0008 0001; 41; 08 000d 0000", "83 02; c1 01; 08 000d 0002"),
    ("AP 6.8.1 0E", "FC08/0E counts what was for this device", "07; 07; 08 000e 0000", "07 01; 07 01; 08 000e 0003"),
    ("AP 6.8.1 0F", "FC08/0F counts what it did not answer", "08 000f 0000", "08 000f 0000"),
    ("AP 6.8.1 11", "FC08/11 counts exceptions of a busy device", "06 0004 0008; 08 0011 0000", "86 06; 08 0011 0001"),
    ("AP 6.8.1 14", "FC08/14 clears the overrun counter", "08 0014 0000; 08 0012 0000", "08 0014 0000; 08 0012 0000"),
    ("AP 6.8", "FC08 with an unknown sub-function gets 01", "08 0063 0000; 08 0005 0000", "88 01; 88 01"),
    ("AP 6.8", "FC08 with data that the sub-function does not take gets 03", "08 000b 0001; 08 0001 1234", "88 03; 88 03"),
    ("AP 6.9", "FC11 counts what was carried out", "07; 07; 0b", "07 01; 07 01; 0b 0000 0002"),
    ("AP 6.9", "FC11 does not count exceptions, nor itself", "03 0008 0001; 0b; 0b", "83 02; 0b 0000 0000; 0b 0000 0000"),
    ("AP 6.10", "FC12 gives status, both counts and the events, the latest first", "07; 0c", "07 01; 0c 09 0000 0001 0002 80 40 80"),
    ("AP 6.10", "FC12 tells an exception that was sent", "03 0008 0001; 0c", "83 02; 0c 09 0000 0000 0002 80 41 80"),
    ("AP 6.10", "FC12 tells listen-only mode and a restart", "08 0004 0000; 08 0001 0000; 0c", "-; -; 0c 0b 0000 0000 0001 80 00 a0 04 80"),
    ("AP 6.11", "FC15 writes coils from the lowest bit, and gives address and count", "0f 0000 0002 01 02; 01 0000 0002", "0f 0000 0002; 01 01 02"),
    ("AP 6.11", "FC15 with no coil or 1969 gets 03", "0f 0000 0000 00; 0f 0000 07b1 f7 *247", "8f 03; 8f 03"),
    ("AP 6.11", "FC15 whose byte count is not the coils' gets 03", "0f 0000 0002 02 0300; 0f 0000 0009 01 03", "8f 03; 8f 03"),
    ("AP 6.11", "FC15 over the end gets 02", "0f 07d9 0002 01 03", "8f 02"),
    ("AP 6.12", "FC16 writes registers, and gives address and count", "10 0002 0002 04 42480000; 03 0002 0002", "10 0002 0002; 03 04 42480000"),
    ("AP 6.12", "FC16 with no register or 124 gets 03", "10 0002 0000 00; 10 0002 007c f8 *247", "90 03; 90 03"),
    ("AP 6.12", "FC16 whose byte count is not twice the registers' gets 03", "10 0002 0002 02 4248; 10 0002 0001 04 42480000", "90 03; 90 03"),
    ("AP 6.12", "FC16 into a hole gets 02 and writes nothing", "10 0005 0003 06 0002 0000 0000; 03 0005 0001", "90 02; 03 02 0001"),
    ("AP 6.13", "FC17 gives server id and run indicator", "11", "11 =server"),
    ("AP 6.13", "FC17 with data gets 03", "11 00", "91 03"),
    ("AP 6.14", "FC20 gives each group with its length and reference type", "14 0e 06 0004 0001 0002 06 0003 0009 0002", "14 0c 05 06 0dfe 0020 05 06 33cd 0040"),
    ("AP 6.14", "FC20 with a reference type other than 6 gets 02", "14 07 05 0004 0001 0002", "94 02"),
    ("AP 6.14", "FC20 for a file that is not there gets 02", "14 07 06 0009 0001 0001", "94 02"),
    ("AP 6.14", "FC20 for a record that is not there gets 02", "14 07 06 0004 0005 0001", "94 02"),
    ("AP 6.14", "FC20 beyond record 9999 gets 02", "14 07 06 0004 2710 0001", "94 02"),
    ("AP 6.14", "FC20 whose byte count is under 7, or not the groups', gets 03", "14 06 06 0004 0001 00; 14 08 06 0004 0001 0002 00", "94 03; 94 03"),
    ("AP 6.14", "FC20 whose answer would not fit gets 03", "14 07 06 0004 0064 007b", "94 03"),
    ("AP 6.15", "FC21 writes records, and echoes", "15 0b 06 0004 0007 0002 42480000; 14 07 06 0004 0007 0002", "15 0b 06 0004 0007 0002 42480000; 14 06 05 06 42480000"),
    ("AP 6.15", "FC21 writes all groups or none", "15 14 06 0004 0007 0002 42480000 06 0004 0009 0001 0009; 14 07 06 0004 0007 0002", "95 03; 14 06 05 06 41a00000"),
    ("AP 6.15", "FC21 whose data are short gets 03", "15 09 06 0004 0007 0002 4248", "95 03"),
    ("AP 6.15", "FC21 with a reference type other than 6 gets 02", "15 09 05 0004 0009 0001 0001", "95 02"),
    ("AP 6.16", "FC22 is (now AND a) OR (o AND NOT a), and echoes", "06 0004 0012; 16 0004 00f2 0025; 03 0004 0001", "06 0004 0012; 16 0004 00f2 0025; 03 02 0017"),
    ("AP 6.16", "FC22 in a hole gets 02", "16 0008 0000 0000", "96 02"),
    ("AP 6.16", "FC22 of another length gets 03", "16 0004 00f2", "96 03"),
    ("AP 6.17", "FC23 writes before it reads", "17 0004 0001 0004 0001 02 0005", "17 02 0005"),
    ("AP 6.17", "FC23 reads one place and writes another", "17 0006 0001 0004 0001 02 0005; 03 0004 0001", "17 02 1234; 03 02 0005"),
    ("AP 6.17", "FC23 with 126 to read or 122 to write gets 03", "17 0063 007e 0004 0001 02 0005; 17 0063 0001 0004 007a f4 *243", "97 03; 97 03"),
    ("AP 6.17", "FC23 whose read is in a hole writes nothing", "17 0008 0001 0004 0001 02 0005; 03 0004 0001", "97 02; 03 02 0000"),
    ("AP 6.18", "FC24 gives an empty queue", "18 04de", "18 0002 0000"),
    ("AP 6.18", "FC24 where there is no queue gets 02", "18 0000", "98 02"),
    ("AP 6.18", "FC24 of another length gets 03", "18 04", "98 03"),
    ("AP 6.19", "FC43 with a type that is not ours gets 01", "2b 0d 00", "ab 01"),
    ("AP 6.21", "FC43/14 basic gives vendor, product and revision", "2b 0e 01 00", "2b 0e 01 83 00 00 03 =basic"),
    ("AP 6.21", "FC43/14 goes on where it had to stop", "2b 0e 03 80; 2b 0e 03 81", "2b 0e 03 83 ff 81 01 80 c8 *200; 2b 0e 03 83 00 00 01 81 64 *100"),
    ("AP 6.21", "FC43/14 code 4 gives one object", "2b 0e 04 01", "2b 0e 04 83 00 00 01 01 04 414e2d31"),
    ("AP 6.21", "FC43/14 code 4 with an unknown object gets 02", "2b 0e 04 70", "ab 02"),
    ("AP 6.21", "FC43/14 code 1 with an unknown object begins at the start", "2b 0e 01 70", "2b 0e 01 83 00 00 03 =basic"),
    ("AP 6.21", "FC43/14 with code 0 or 5 gets 03", "2b 0e 00 00; 2b 0e 05 00", "ab 03; ab 03"),
    ("AP 7", "An exception has the function's code with the highest bit set", "03 0008 0001", "83 02"),
    ("AP 7", "04: the device could not do it", "06 0004 0007", "86 04"),
    ("AP 7", "06: the device is busy", "06 0004 0008", "86 06"),
    ("AP 7", "03: a value that the device does not take", "06 0005 0009", "86 03"),
    ("AP 7", "After an exception the connection goes on", "03 0008 0001; 03 0006 0001", "83 02; 03 02 1234"),
]  # fmt: skip


def pdu(text: str) -> bytes:
    """Hex, where ``*N`` is N bytes of 00."""
    return b"".join(bytes(int(part[1:])) if part[0] == "*" else bytes.fromhex(part) for part in text.split())


@pytest.fixture
async def wire(make_bench: Any, make_wire: Any) -> AsyncIterator[Any]:
    """A raw connection to the device."""
    bench = make_bench(**DEVICE)
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink) as endpoint:
        port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        made = make_wire(*await asyncio.open_connection("127.0.0.1", port))
        made.bench = bench
        yield made
        made.writer.close()


def frame(transaction: int, body: bytes, unit: int = 11, protocol: int = 0) -> bytes:
    """One MBAP frame."""
    return struct.pack(">HHHB", transaction, protocol, len(body) + 1, unit) + body


@pytest.mark.parametrize(("section", "claim", "requests", "answers"), CLAIMS, ids=[f"{c[0]} {c[1]}" for c in CLAIMS])
async def test_application_protocol(wire: Any, section: str, claim: str, requests: str, answers: str) -> None:
    """The claim of the row holds."""
    serial = wire.bench.device.serial.encode()
    named = {
        "=server": bytes((len(b"AN-1 " + serial) + 1,)) + b"AN-1 " + serial + b"\xff",
        "=basic": b"\0\x09Fictional\1\4AN-1\2\0032.4",
    }
    async with asyncio.timeout(60):
        for number, (request, wanted) in enumerate(zip(requests.split(";"), answers.split(";"), strict=True), 1):
            await wire.send(frame(number, pdu(request)))
            if wanted.strip() == "-":
                continue  # the next answer's transaction id shows that there was none
            *parts, last = wanted.split()
            answer = await wire.frame()
            assert answer[:7] == struct.pack(">HHHB", number, 0, len(answer) - 6, 11), section
            if last[0] == "*" and last != "*0":
                start = pdu(" ".join(parts))
                assert answer[7:].startswith(start), claim
                assert len(answer) - 7 == len(start) + int(last[1:]), claim
            else:
                assert answer[7:] == pdu(" ".join(parts)) + (named.get(last) or pdu(last)), claim
        if "-" in answers.split(";")[-1]:
            await wire.send(frame(99, b"\x08\0\1\0\0") + frame(100, b"\x07"))
            assert (await wire.frame())[:2] == b"\0\x64", claim


async def ask(wire: Any, data: bytes) -> bytes:
    """Send and get one frame."""
    await wire.send(data)
    async with asyncio.timeout(60):
        return await wire.frame()


READ = bytes.fromhex("0300060001")
GOOD = bytes.fromhex("03021234")


@pytest.mark.parametrize("transaction", [0, 1, 0x7FFF, 0x8000, 0xFFFF])
async def test_mg_3_1_3_transaction_id_comes_back(wire: Any, transaction: int) -> None:
    """MG §3.1.3: the transaction identifier is copied from the request, whatever it is."""
    assert await ask(wire, frame(transaction, READ)) == frame(transaction, GOOD)


async def test_mg_3_1_3_the_same_transaction_id_twice(wire: Any) -> None:
    """MG §3.1.3: the server does not judge transaction identifiers; two alike are two requests."""
    await wire.send(frame(5, READ) + frame(5, READ))
    assert [await wire.frame(), await wire.frame()] == [frame(5, GOOD)] * 2


async def test_mg_3_1_3_length_counts_unit_and_pdu(wire: Any) -> None:
    """MG §3.1.3: the length field counts what follows it: unit identifier and PDU."""
    assert (await ask(wire, frame(1, READ)))[4:6] == struct.pack(">H", 1 + len(GOOD))


async def test_mg_3_1_3_unit_comes_back(wire: Any) -> None:
    """MG §3.1.3: the unit identifier is copied from the request, also into an exception."""
    assert (await ask(wire, frame(1, bytes.fromhex("0300080001"))))[6] == 11


@pytest.mark.parametrize("protocol", [1, 0x00FF, 0xFFFF])
async def test_mg_3_1_3_protocol_id_is_zero(wire: Any, protocol: int) -> None:
    """MG §4.4.2.1: a frame whose protocol identifier is not 0 is thrown away: it gets no answer."""
    await wire.send(frame(1, READ, protocol=protocol))
    assert await wire.rest() == b""


@pytest.mark.parametrize("length", [0, 1, 255, 0xFFFF])
async def test_mg_4_4_2_1_impossible_length(wire: Any, length: int) -> None:
    """MG §4.4.2.1: a length that no ADU has ends the connection, because the next frame cannot be found any more."""
    await wire.send(struct.pack(">HHHB", 1, 0, length, 11) + READ)
    assert await wire.rest() == b""


async def test_mg_3_1_2_longest_adu(wire: Any) -> None:
    """MG §3.1.2: an ADU of 260 bytes is taken, a PDU of 253."""
    assert await ask(wire, frame(1, b"\x08\0\0" + bytes(250))) == frame(1, b"\x08\0\0" + bytes(250))


async def test_mg_4_4_1_2_requests_may_be_pipelined(wire: Any) -> None:
    """MG §4.4.1.2: a client may send further requests before the answers; each is answered, under its identifier."""
    await wire.send(b"".join(frame(n, READ) for n in range(64)))
    assert [await wire.frame() for _ in range(64)] == [frame(n, GOOD) for n in range(64)]


async def test_mg_4_3_2_an_adu_may_come_in_pieces(wire: Any) -> None:
    """MG §4.3.2: TCP is a stream: an ADU in pieces is one request, two in one segment are two."""
    data = frame(1, READ) + frame(2, READ)
    for at in range(0, len(data), 5):
        await wire.send(data[at : at + 5])
        await asyncio.sleep(0)
    assert [await wire.frame(), await wire.frame()] == [frame(1, GOOD), frame(2, GOOD)]


async def test_mg_4_2_1_several_connections(wire: Any, make_wire: Any) -> None:
    """MG §4.2.1: a server serves several clients; what one sends does not mix with what another sends."""
    other = make_wire(*await asyncio.open_connection(*wire.writer.get_extra_info("peername")[:2]))
    half = frame(1, READ)
    await wire.send(half[:7])
    assert await ask(other, frame(2, READ)) == frame(2, GOOD)
    assert await ask(wire, half[7:]) == frame(1, GOOD)
    other.writer.close()


async def test_mg_4_2_2_the_connection_stays_open(wire: Any) -> None:
    """MG §4.2.2: the server keeps the connection open between transactions."""
    for number in range(5):
        assert await ask(wire, frame(number, READ)) == frame(number, GOOD)


async def test_mg_4_2_2_a_client_may_half_close(wire: Any) -> None:
    """MG §4.2.2: the client closes; what it had asked before is still answered."""
    await wire.send(frame(1, READ))
    wire.writer.write_eof()
    assert await wire.rest() == frame(1, GOOD)


async def test_mg_4_4_2_3_a_unit_that_is_not_there(wire: Any) -> None:
    """MG §4.4.2.3: a server that has no such unit and is no gateway says nothing; the next request is answered."""
    await wire.send(frame(1, READ, unit=12) + frame(2, READ))
    assert await wire.frame() == frame(2, GOOD)


@pytest.mark.parametrize(("answer", "code"), [("gateway", "0b"), ("no-path", "0a")])
async def test_ap_7_gateway_exceptions(make_bench: Any, make_wire: Any, answer: Any, code: str) -> None:
    """AP §7: a gateway answers 0B when the target does not respond, 0A when there is no path to it."""
    bench = make_bench(**DEVICE)
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, unknown_unit=answer) as endpoint:
        port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        wire = make_wire(*await asyncio.open_connection("127.0.0.1", port))
        assert await ask(wire, frame(1, READ, unit=12)) == frame(1, bytes.fromhex("83" + code), unit=12)
        wire.writer.close()


def test_ap_6_18_a_queue_fills_oldest_first_and_is_not_emptied(make_bench: Any) -> None:
    """AP §6.18: FC24 gives count and contents, oldest first, and reading takes nothing out; the 32nd pushes out the first."""
    bench = make_bench(**DEVICE)
    assert bench.ask("18 04de") == "18 00 02 00 00"
    for value in range(1, 4):
        bench.device["command"] = value
        bench.advance(0.1)
    assert bench.ask("18 04de") == "18 00 08 00 03 00 01 00 02 00 03"
    assert bench.ask("18 04de") == "18 00 08 00 03 00 01 00 02 00 03"
    assert bench.last.detail == {
        "unit": 11, "fc": 24, "table": "fifo", "address": 0x4DE, "count": 3, "raw": "000100020003",
    }  # fmt: skip
    for value in range(4, 33):
        bench.device["command"] = value
        bench.advance(0.1)
    assert bench.ask("18 04de").startswith("18 00 40 00 1f 00 02 00 03")
