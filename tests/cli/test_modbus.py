"""``labsim modbus`` as a person types it, against a lab and against a server that is not ours."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from field_lab import Field, Typed

UNIT = ("-u", "11")
VOLTAGE = 3028


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A lab whose plant stands still."""
    running = Field(tmp_path_factory.mktemp("field"))
    yield running
    running.close()


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Types a command."""
    monkeypatch.setenv("COLUMNS", "120")
    return Typed(capsys)


def test_read_shows_the_plants_value(field: Field, typed: Typed) -> None:
    """By the manual's number and by the address on the wire: the store's voltage, and the lab saw who asked for what."""
    number, url = VOLTAGE + field.base, field.urls["modbus"]
    one = typed("modbus", "read", url, number, "-N", *UNIT, "-T", "f32", "--json")
    two = typed("modbus", "read", url, number - 1, *UNIT, "-T", "f32", "--json")
    assert one.code == 0
    assert one.document == two.document
    assert one.document["table"] == "holding"
    assert one.document["values"][0]["value"] == pytest.approx(field.value("meter1.voltage_l1"))
    assert field.evidence.of("modbus", "read", "meter1")[-1].tags == ["meter1.voltage_l1"]
    table = typed("modbus", "read", url, number, "-N", *UNIT, "-T", "f32", "-n", "3").out
    assert len(table.splitlines()) == 4
    assert f"{number - 1}" in table


def test_bits_are_read_as_bits(field: Field, typed: Typed) -> None:
    """Discrete inputs are 0 and 1, without words."""
    found = typed("modbus", "read", field.urls["modbus"], field.base, "-t", "discrete", "-n", 5, *UNIT, "--json")
    assert [row["value"] for row in found.document["values"]] == [0] * 5
    assert set(found.document["values"][0]) == {"address", "value"}


def test_an_exception_is_one_sentence(field: Field, typed: Typed) -> None:
    """Exit code 2, nothing on stdout, and what the code means."""
    said = typed("modbus", "read", field.urls["modbus"], 60000, *UNIT, "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert "exception 02, no such address" in said.err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("read", "127.0.0.1:1", "0"), "cannot be reached"),
        (("read", "ftp://a", "0"), "ftp"),
        (("read", "a", "x"), "not an address"),
        (("read", "a", "0", "-T", "f16"), "f16"),
        (("read", "a", "0", "-o", "AB"), "AB"),
        (("read", "a", "0", "-t", "coils"), "coils"),
        (("write", "a", "0", "70000"), "0 to 65535"),
        (("write", "a", "0", "2", "-t", "coil"), "not a bit"),
        (("scan", "a", "-U", "1-"), "unit id"),
        (("decode", "-w", "xyz"), "hexadecimal"),
        (("decode",), "--words"),
        (("decode", "a", "0", "-t", "coil"), "no word order"),
        (("watch", "a", "0", "--every", "soon"), "duration"),
    ],
)
def test_wrong_input_is_one_sentence(typed: Typed, arguments: tuple[str, ...], word: str) -> None:
    """Exit code 2 and what to do, never a trace."""
    said = typed("modbus", *arguments)
    assert (said.code, said.out) == (2, "")
    assert word in said.err
    assert "Traceback" not in said.err


def test_write_changes_the_plant(field: Field, typed: Typed) -> None:
    """A coil of the meter is switched; the value is in the evidence, and a read shows it."""
    url, coil = field.urls["modbus"], field.base
    said = typed("modbus", "write", url, coil, "on", "-t", "coil", *UNIT, "--single", "--json")
    assert said.code == 0, said.err
    assert said.document["values"] == ["on"]
    record = field.evidence.of("modbus", "write", "meter1")[-1]
    assert (record.detail["fc"], record.status, record.values) == (5, 0, [True])


def test_a_negative_number_is_a_value(typed: Typed) -> None:
    """``-5`` is no option; what is wrong is only that nobody is there."""
    assert "cannot be reached" in typed("modbus", "write", "127.0.0.1:1", 0, -5, "-T", "i16").err


def test_scan_finds_the_meter(field: Field, typed: Typed) -> None:
    """The one unit that answers, with its nameplate; silence on the others is no error, but all silent is exit code 1."""
    said = typed("modbus", "scan", field.urls["modbus"], "-U", "10-12", "--timeout", "0.2", "--json")
    (unit,) = said.document["units"]
    assert unit["unit"] == 11
    assert unit["identification"]["vendor"]
    shown = typed("modbus", "scan", field.urls["modbus"], "-U", "10-11", "--timeout", "0.2")
    assert shown.out.startswith("unit 11")
    assert "1 of 2 units answered" in shown.err
    assert typed("modbus", "scan", field.urls["modbus"], "-U", "12", "--timeout", "0.1").code == 1


def test_decode_puts_the_orders_side_by_side(field: Field, typed: Typed) -> None:
    """From the wire, and from words that were typed."""
    said = typed("modbus", "decode", field.urls["modbus"], VOLTAGE + field.base, "-N", *UNIT, "-n", 2, "--json")
    assert said.document["readings"]["f32"]["ABCD"] == pytest.approx(field.value("meter1.voltage_l1"))
    typed_in = typed("modbus", "decode", "-w", "8000 4366", "--json").document
    assert typed_in["readings"]["f32"]["CDAB"] == 230.5
    table = typed("modbus", "decode", "-w", "8000 4366")
    assert "230.5" in table.out
    assert all(order in table.out for order in ("ABCD", "CDAB", "BADC", "DCBA"))
    assert "nan" in typed("modbus", "decode", "-w", "7fc0 0000", "--json").out


def test_watch_tells_each_change_once() -> None:
    """One line per change with --json: the first value, then only what is new; an error is a line, and polling goes on."""
    values = iter([1, 1, 2, None, 2, 3])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                while request := peer.recv(300):
                    value = next(values, 3)
                    pdu = b"\x83\x06" if value is None else b"\x03\x02" + value.to_bytes(2, "big")
                    peer.sendall(request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu)

        threading.Thread(target=serve, daemon=True).start()
        command = [sys.executable, "-m", "labsim", "modbus", "watch", f"127.0.0.1:{port}", "7", "--every", "20 ms"]
        done = subprocess.run(
            [*command, "--for", "1 s", "--json"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=30,
            check=True,
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("value", "error") for line in lines] == [1, 2, "error", 3]
    assert "device busy" in lines[2]["error"]
    assert all(line["time"].endswith("Z") for line in lines)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("as_json", [True, False])
def test_ctrl_c_ends_it_cleanly(field: Field, as_json: bool) -> None:
    """Exit code 130, no trace, and the lab's endpoint is left as if nobody had been there."""
    url, address = field.urls["modbus"], VOLTAGE - 1 + field.base
    before = len(field.evidence.of("modbus", "read"))
    command = [sys.executable, "-u", "-m", "labsim", "modbus", "watch", url, str(address), *UNIT, "--every", "50 ms"]
    process = subprocess.Popen(
        [*command, *(["--json"] if as_json else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip
    while len(field.evidence.of("modbus", "read")) < before + 3:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
