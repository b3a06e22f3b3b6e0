from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import own_certificate
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.framer import FramerRTU

from labsim.errors import InputError
from labsim.probe.address import Address
from labsim.probe.credentials import Credentials
from labsim.probe.error import ProbeError
from labsim.probe.modbus import ModbusProbe, RefusedError, SilentError
from labsim.probe.target import MODBUS, Target, parse_target

UNIT = 3


def at(port: int, scheme: str = "modbus-tcp") -> Target:
    """A server on this computer."""
    return parse_target(f"{scheme}://127.0.0.1:{port}", MODBUS)


@contextmanager
def answering(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that gives each connection's requests these answers, one after another, whatever they ask."""
    listener = socket.create_server(("127.0.0.1", 0))
    given = iter(answers)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            if tls is not None:
                peer = tls.wrap_socket(peer, server_side=True)
            with peer:
                while request := peer.recv(300):
                    answer = next(given, b"")
                    if answer == b"close":
                        break
                    # {tid} of the request, so that an answer may fit it
                    peer.sendall(request[:2] + answer[2:] if answer[:2] == b"\0\0" else answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def test_every_table_of_a_stock_server(modbus_port: int) -> None:
    """Registers and bits, also more than one request holds."""
    with ModbusProbe(at(modbus_port)) as probe:
        assert probe.read(UNIT, Address("holding", 0), 4) == [0x4366, 0x8000, 0x1234, 0x5678]
        assert len(probe.read(UNIT, Address("holding", 0), 300)) == 300
        assert probe.read(UNIT, Address("input", 1), 2) == [2, 3]
        assert probe.read(UNIT, Address("coil", 0), 5)[1:] == [0, 1, 1, 1]
        assert len(probe.read(UNIT, Address("coil", 0), 2100)) == 2100
        assert probe.read(UNIT, Address("discrete", 1), 2) == [0, 1]


def test_what_is_written_is_read_again(modbus_port: int) -> None:
    """By one or by many, registers and coils."""
    with ModbusProbe(at(modbus_port)) as probe:
        probe.write(UNIT, Address("holding", 50), [7, 8])
        probe.write(UNIT, Address("holding", 52), [9], single=True)
        assert probe.read(UNIT, Address("holding", 50), 3) == [7, 8, 9]
        probe.write(UNIT, Address("coil", 100), [1, 0, 1])
        probe.write(UNIT, Address("coil", 103), [1], single=True)
        assert probe.read(UNIT, Address("coil", 100), 4) == [1, 0, 1, 1]


def test_an_exception_is_one_sentence_with_its_meaning(modbus_port: int) -> None:
    """Which unit, what was asked, what the code means; the connection goes on."""
    with ModbusProbe(at(modbus_port)) as probe:
        with pytest.raises(
            RefusedError, match=r"unit 3 answered a read of holding 1000, count 1 .* 02, no such address"
        ):
            probe.read(UNIT, Address("holding", 1000), 1)
        assert probe.read(UNIT, Address("holding", 0), 1) == [0x4366]


def test_rtu_over_tcp(stock: object) -> None:
    """The same registers from a serial device server's frames."""
    with ModbusProbe(at(stock.start(FramerType.RTU), "modbus-rtu-tcp")) as probe:  # type: ignore[attr-defined] # Stock
        assert probe.read(UNIT, Address("holding", 0), 2) == [0x4366, 0x8000]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_a_serial_port() -> None:
    """RTU on a line, without parity where there is none; a port that is not there, and settings that are none."""
    import pty
    import tty

    near, far = pty.openpty()
    tty.setraw(far)
    asked: list[bytes] = []

    def serve() -> None:
        request = b""
        while len(request) < 8:
            request += os.read(near, 8)
        asked.append(request)
        answer = bytes([UNIT, 3, 2, 0x43, 0x66])
        os.write(near, answer + FramerRTU.compute_CRC(answer).to_bytes(2, "big"))

    threading.Thread(target=serve, daemon=True).start()
    port = os.ttyname(far)
    with ModbusProbe(parse_target(f"modbus-rtu://{port}?baudrate=9600", MODBUS), 5) as probe:
        assert probe.read(UNIT, Address("holding", 7), 1) == [0x4366]
    assert asked[0][:6] == bytes([UNIT, 3, 0, 7, 0, 1])
    os.close(near)
    os.close(far)
    with (
        ModbusProbe(parse_target("modbus-rtu:///dev/none", MODBUS)) as probe,
        pytest.raises(ProbeError, match="opened"),
    ):
        probe.read(UNIT, Address("holding", 0), 1)
    with pytest.raises(InputError, match="sets no serial line"):
        ModbusProbe(parse_target("modbus-rtu:///dev/none?parity=X", MODBUS))


def test_silence_is_told_and_the_next_question_starts_afresh(modbus_port: int) -> None:
    """No answer in time; a late one of it cannot be taken for that of the next question."""
    good = bytes.fromhex("00000000000503030200aa")
    with answering(b"", good) as port, ModbusProbe(at(port), timeout=0.05) as probe:
        with pytest.raises(SilentError, match=r"unit 3 did not answer a read of holding 0, count 1 within 0.05 s"):
            probe.read(UNIT, Address("holding", 0), 1)
        assert probe.read(UNIT, Address("holding", 0), 1) == [0xAA]


@pytest.mark.parametrize(
    "answer",
    [
        b"close",
        b"\xff" * 30,
        bytes.fromhex("000000000005030304aaaabbbb"),  # more than asked for
        bytes.fromhex("00000000000303030200"),  # cut short
        bytes.fromhex("00000000000503040200aa"),  # the answer to another function
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_a_server_that_speaks_nonsense_is_one_sentence(answer: bytes) -> None:
    """Whatever comes, it is a ProbeError that names the server."""
    with (
        answering(*[answer] * 3) as port,
        ModbusProbe(at(port), timeout=0.1) as probe,
        pytest.raises(ProbeError, match=rf"127\.0\.0\.1:{port}"),
    ):
        probe.read(UNIT, Address("holding", 0), 1)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=12)
    | st.sampled_from([3, 0x83, 43, 1]).flatmap(lambda fc: st.binary(max_size=12).map(lambda rest: bytes([fc]) + rest))
)
def test_no_answer_raises_anything_but_a_sentence(pdu: bytes) -> None:
    """Whatever PDU comes in a good frame: registers, or a ProbeError."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ModbusProbe(at(1), timeout=0.01) as probe:
        for number, ask in enumerate(
            (lambda: probe.read(UNIT, Address("holding", 0), 1), lambda: probe._nameplate(UNIT))
        ):
            # the answer lies there before the question: pymodbus counts its transactions from 1
            theirs.sendall(struct.pack(">HHHB", number + 1, 0, len(pdu) + 1, UNIT) + pdu)
            probe._client.socket = ours
            try:
                assert ask() is not None
            except ProbeError as error:
                assert "127.0.0.1:1" in str(error)  # noqa: PT017 - registers and a sentence are both right
                return  # the connection is given up


def test_nobody_there_is_told() -> None:
    """A closed port and a name that does not exist."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with ModbusProbe(at(port)) as probe, pytest.raises(ProbeError, match="cannot be reached"):
        probe.read(UNIT, Address("holding", 0), 1)


def test_what_cannot_be_asked_is_not_asked(modbus_port: int) -> None:
    """Beyond the last register, to a table that is read only, or too much at once."""
    with ModbusProbe(at(modbus_port)) as probe:
        with pytest.raises(ProbeError, match="65535 is the last"):
            probe.read(UNIT, Address("holding", 65535), 2)
        with pytest.raises(ProbeError, match="cannot be written"):
            probe.write(UNIT, Address("input", 0), [1])
        with pytest.raises(ProbeError, match="at most 123"):
            probe.write(UNIT, Address("holding", 0), [1] * 124)


def test_who_is_there(modbus_port: int) -> None:
    """A unit that answers counts, with a nameplate if it has one; silence and a gateway's no do not."""
    plate = bytes.fromhex("000000000013032b0e010100000300 0141 010142 020143".replace(" ", ""))
    good, gateway = bytes.fromhex("00000000000503030200aa"), bytes.fromhex("00000000000303830b")
    plate = plate[:4] + (len(plate) - 6).to_bytes(2, "big") + plate[6:]
    with answering(good, plate, gateway, b"") as port, ModbusProbe(at(port), timeout=0.1) as probe:
        found = probe.identify(UNIT)
        assert found is not None
        assert (found.code, found.nameplate) == (0, {"vendor": "A", "product code": "B", "revision": "C"})
        assert probe.identify(UNIT) is None
        assert probe.identify(UNIT) is None


def test_tls_is_believed_only_with_a_certificate(tmp_path: Path) -> None:
    """The server's name is held against its certificate; only --insecure does without."""
    cert, key = own_certificate.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    good = bytes.fromhex("00000000000503030200aa")
    for credentials in (Credentials(ca=cert), Credentials(insecure=True)):
        with answering(good, tls=context) as port, ModbusProbe(at(port, "modbus-tls"), 5, credentials) as probe:
            assert probe.read(UNIT, Address("holding", 0), 1) == [0xAA]
    with answering(good) as port, ModbusProbe(at(port, "modbus-tls"), 1) as probe, pytest.raises(ProbeError):
        probe.read(UNIT, Address("holding", 0), 1)
    with pytest.raises(ProbeError, match=r"none\.pem cannot be used"):
        ModbusProbe(at(1, "modbus-tls"), 1, Credentials(ca=tmp_path / "none.pem"))
