"""Claims about what a device family declares: functions, holes, groups, exceptions, marks for invalid values, write effects."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.plant import status
from labsim.plant.register_spec import ModbusSpec, RegisterSpec
from labsim.plant.rules import conflicts


def registers(*rows: dict[str, Any]) -> dict[str, Any]:
    """A Modbus section with these registers, numbered from the wire address."""
    return {"numbering": 0, "registers": list(rows)}


def test_a_device_has_only_its_functions(make_bench: Any) -> None:
    """With ``functions`` all others get 01, also standard ones, and are evidence."""
    bench = make_bench(functions=[3, 16])
    assert bench.ask("03 0064 0002")[:2] == "03"
    for request in ("04 0000 0002", "06 00ca 0064", "07", "2b 0e 01 00"):
        assert bench.ask(request)[3:] == "01"
    assert (bench.last.kind, bench.last.status) == ("request", 1)


def test_a_register_may_be_reached_by_some_functions_only(make_bench: Any) -> None:
    """A register for FC16 alone refuses FC06 and FC03 with the family's code; its neighbours do not."""
    row = {"doc": 1, "tag": "command", "type": "u16", "access": "rw", "functions": [16]}
    bench = make_bench(**registers(row, {"doc": 2, "tag": "mode", "type": "u16", "access": "rw"}))
    assert bench.ask("06 0001 0005") == "86 02"
    assert bench.ask("03 0001 0001") == "83 02"
    assert bench.ask("03 0001 0002") == "83 02"
    assert bench.ask("03 0002 0001")[:2] == "03"
    assert bench.ask("10 0001 0001 02 0005") == "10 00 01 00 01"
    coded = make_bench(**registers(row), exceptions={"wrong_function": 1})
    assert coded.ask("06 0001 0005") == "86 01"


@pytest.mark.parametrize(
    ("exceptions", "request_", "answer"),
    [
        ({"function": 2}, "41", "c1 02"),
        ({"address": 3}, "03 0000 0001", "83 03"),
        ({"count": 2}, "03 0064 0000", "83 02"),
        ({"value": 2}, "06 00cb 0009", "86 02"),
        ({"value": 4}, "10 00c8 0002 04 7fc00000", "90 04"),
        ({"part_write": 2}, "06 00c8 41c8", "86 02"),
        ({"part": 4}, "03 0079 0001", "83 04"),
        ({"state": 6}, "06 00cc 0007", "86 06"),
        ({"busy": 4}, "06 00cc 0008", "86 04"),
    ],
)
def test_a_family_has_its_own_exceptions(make_bench: Any, exceptions: Any, request_: str, answer: str) -> None:
    """Where a family answers with another code than the standard's, its interface says so."""
    assert make_bench(exceptions=exceptions).ask(request_) == answer


def test_holes_may_read_as_zero(make_bench: Any) -> None:
    """With ``holes: zero`` a gap between two registers reads 0; outside of the first and the last there is still nothing."""
    rows = ({"doc": 5, "constant": 7, "type": "u16"}, {"doc": 9, "tag": "voltage", "type": "f32"})
    bench = make_bench(**registers(*rows), holes="zero")
    assert bench.ask("03 0005 0006") == "03 0c 00 07 00 00 00 00 00 00 43 66 80 00"
    assert bench.last.tags == ["an1.voltage"]
    assert bench.ask("03 0007 0001") == "03 02 00 00"
    assert bench.ask("03 0006 0003") == "03 06 00 00 00 00 00 00"
    assert bench.ask("03 0004 0001") == "83 02"
    assert bench.ask("03 000a 0002") == "83 02"
    assert bench.ask("06 0007 0001") == "86 02"
    assert make_bench(**registers(*rows)).ask("03 0005 0006") == "83 02"


def test_bits_may_share_a_table(make_bench: Any) -> None:
    """With ``same_bits`` inputs can be read as coils with FC01, as ADAM modules do, but not written."""
    rows = (
        {"doc": 0, "tag": "running", "type": "bool", "table": "discrete"},
        {"doc": 16, "tag": "valve", "type": "bool", "table": "coil", "access": "rw"},
    )
    bench = make_bench(**registers(*rows), same_bits=True)
    assert bench.ask("01 0000 0001") == bench.ask("02 0000 0001").replace("02", "01", 1) == "01 01 01"
    assert bench.ask("02 0010 0001") == "02 01 00"
    assert bench.ask("05 0000 0000") == "85 02"
    assert make_bench(**registers(*rows)).ask("01 0000 0001") == "81 02"


def test_a_group_is_read_and_written_as_one(make_bench: Any) -> None:
    """A read or write that leaves out a register of a group is refused; with all of them it is done."""
    rows = [
        {"doc": 1, "tag": "ramp", "type": "u16", "access": "rw", "group": "profile"},
        {"doc": 2, "tag": "mode", "type": "u16", "access": "rw", "group": "profile"},
        {"doc": 3, "tag": "command", "type": "u16", "access": "rw"},
    ]
    bench = make_bench(**registers(*rows))
    assert bench.ask("03 0001 0001") == "83 02"
    assert bench.ask("03 0002 0002") == "83 02"
    assert bench.ask("03 0003 0001") == "03 02 00 00"
    assert bench.ask("03 0001 0003") == "03 06 00 05 00 01 00 00"
    assert bench.ask("06 0002 0002") == "86 03"
    assert bench.ask("10 0002 0002 04 0002 0001") == "90 03"
    assert bench.ask("10 0001 0002 04 0009 0002") == "10 00 01 00 02"
    assert (bench.device["ramp"], bench.device["mode"]) == (9, 2)


def test_scale_offset_and_overflow(make_bench: Any) -> None:
    """Raw is value * scale + offset, both ways; what does not fit is saturated or goes round."""
    rows = [
        {"doc": 1, "tag": "setpoint", "type": "u16", "scale": 10, "offset": 500, "access": "rw"},
        {"doc": 2, "tag": "energy", "type": "u16"},
        {"doc": 3, "tag": "energy", "type": "u16", "overflow": "wrap"},
        {"doc": 4, "tag": "energy", "type": "i16", "overflow": "wrap"},
    ]
    bench = make_bench(**registers(*rows))
    bench.device["energy"] = 65536 + 40000
    assert bench.ask("03 0001 0004") == "03 08 02 bc ff ff 9c 40 9c 40"
    assert bench.ask("06 0001 0000") == "86 00 01 00 00".replace("86", "06", 1)
    assert bench.device["setpoint"] == -50
    bench.device["energy"] = -1
    assert bench.ask("03 0002 0003") == "03 06 00 00 ff ff ff ff"


def test_a_mark_of_its_own_stands_for_invalid(make_bench: Any) -> None:
    """``invalid`` may be the raw number that the family uses, such as 7FFF; good values are not touched."""
    bench = make_bench(**registers({"doc": 1, "tag": "temperature", "type": "i16", "invalid": 0x7FFF}))
    assert bench.ask("03 0001 0001") == "03 02 ff f4"
    bench.device.mark("temperature", status.BAD_SENSOR_FAILURE)
    assert bench.ask("03 0001 0001") == "03 02 7f ff"


@pytest.mark.parametrize(
    ("code", "exception"),
    [
        (status.BAD_SENSOR_FAILURE, 4),
        (status.BAD_WAITING_FOR_INITIAL_DATA, 6),
        (status.BAD_NO_COMMUNICATION, 11),
    ],
)
def test_an_invalid_value_may_be_refused(make_bench: Any, code: int, exception: int) -> None:
    """With ``invalid: refuse`` a bad value makes the read an exception that says why; when it is good again it is read again."""
    bench = make_bench(**registers({"doc": 1, "tag": "voltage", "type": "f32", "invalid": "refuse"}))
    assert bench.ask("03 0001 0002") == "03 04 43 66 80 00"
    bench.device.mark("voltage", code)
    assert bench.ask("03 0001 0002") == f"83 {exception:02x}"
    assert bench.last.status == exception
    bench.device.mark("voltage", status.GOOD)
    assert bench.ask("03 0001 0002") == "03 04 43 66 80 00"


def test_an_edge_register_waits_for_a_change(make_bench: Any) -> None:
    """The same command again does nothing, although the device has taken it back; after another value it counts again."""
    bench = make_bench(**registers({"doc": 1, "tag": "command", "type": "u16", "access": "rw", "effect": "edge"}))
    bench.ask("06 0001 0001")
    assert bench.device["command"] == 1
    bench.device["command"] = 0  # the device has done it
    assert bench.ask("06 0001 0001") == "06 00 01 00 01"
    assert bench.device["command"] == 0
    assert (bench.last.tags, bench.last.values, bench.last.detail["idle"]) == (["an1.command"], [1], ["an1.command"])
    bench.ask("06 0001 0000")
    bench.ask("06 0001 0001")
    assert bench.device["command"] == 1
    assert "idle" not in bench.last.detail


def test_a_refused_edge_may_come_again(make_bench: Any) -> None:
    """A value that the device refused was not taken, so the same value is a change still."""
    bench = make_bench(**registers({"doc": 1, "tag": "command", "type": "u16", "access": "rw", "effect": "edge"}))
    assert bench.ask("06 0001 0007") == "86 04"
    assert bench.ask("06 0001 0007") == "86 04"


def test_a_command_register_reads_zero(make_bench: Any) -> None:
    """What is written reaches the device; a read gives 0, and is no reading of the tag."""
    bench = make_bench(**registers({"doc": 1, "tag": "command", "type": "u16", "access": "rw", "effect": "command"}))
    bench.ask("06 0001 0003")
    assert bench.device["command"] == 3
    assert bench.ask("03 0001 0001") == "03 02 00 00"
    assert (bench.last.tags, bench.last.values) == ([], [])
    bench.ask("06 0001 0004")
    assert bench.last.tags == ["an1.command"]


def test_a_memory_wears(make_bench: Any) -> None:
    """Every write of an EEPROM register is counted where everybody can read it; at its limit writes fail, reads do not."""
    row = {
        "doc": 1, "tag": "setpoint", "type": "f32", "access": "rw", "effect": "eeprom", "wear_tag": "wear", "wear_limit": 3,
    }  # fmt: skip
    bench = make_bench(**registers(row, {"doc": 3, "tag": "wear", "type": "u16"}))
    for count in (1, 2, 3):
        assert bench.ask("10 0001 0002 04 41c80000") == "10 00 01 00 02"
        assert bench.last.detail["wear"] == {"an1.wear": count}
    assert bench.ask("10 0001 0002 04 42480000") == "90 04"
    assert bench.device["setpoint"] == 25
    assert bench.ask("03 0001 0003") == "03 06 41 c8 00 00 00 03"


def test_a_refused_write_does_not_wear(make_bench: Any) -> None:
    """A write that is refused never reaches the memory."""
    row = {"doc": 1, "tag": "mode", "type": "u16", "access": "rw", "effect": "eeprom", "wear_tag": "wear"}
    bench = make_bench(**registers(row))
    assert bench.ask("06 0001 0009") == "86 03"
    assert bench.device["wear"] == 0


def test_fewer_bits_and_registers(make_bench: Any) -> None:
    """A device takes fewer bits or registers than the standard allows, and an endpoint may lower that by unit."""
    bench = make_bench(max_bits=2)
    assert bench.ask("01 0000 0002")[:2] == "01"
    assert bench.ask("01 0000 0003") == "81 03"
    assert bench.ask("0f 0000 0003 01 00") == "8f 03"
    unit = make_bench(core={"most": {11: 2}})
    assert unit.ask("03 0064 0002")[:2] == "03"
    assert unit.ask("03 0064 0003") == "83 03"


def test_a_repeated_read_is_judged_anew(make_bench: Any) -> None:
    """The same request again meets the present: another value, another map, listen-only mode."""
    bench = make_bench()
    assert bench.ask("03 0064 0002") == bench.ask("03 0064 0002") == "03 04 43 66 80 00"
    bench.device["voltage"] = 231.5
    assert bench.ask("03 0064 0002") == "03 04 43 67 80 00"
    assert bench.last.values == [231.5]
    bench.device.configure("word_order", "CDAB")
    assert bench.ask("03 0064 0002") == "03 04 80 00 43 67"
    bench.device.configure("base_register", 100)
    assert bench.ask("03 0064 0002") == "83 02"
    bench.device.configure("base_register", 0)
    assert bench.ask("03 0064 0002")[:2] == "03"
    assert bench.ask("08 0004 0000") is None
    assert bench.ask("03 0064 0002") is None
    assert (bench.last.kind, bench.last.status) == ("read", -1)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"tag": "voltage", "type": "f32", "effect": "edge"}, "access: rw"),
        ({"tag": "setpoint", "type": "f32", "access": "rw", "effect": "eeprom"}, "wear_tag"),
        ({"tag": "voltage", "type": "f32", "invalid": 5}, "only an integer"),
        ({"tag": "voltage", "type": "i16", "invalid": 0x8000}, "does not fit"),
    ],
)
def test_what_cannot_be_is_said(row: dict[str, Any], why: str) -> None:
    """A register that cannot be is refused with a sentence that says what to do."""
    with pytest.raises(ValueError, match=why):
        RegisterSpec.model_validate({"doc": 1, **row})


def test_rules_find_what_no_part_sees(make_interface: Any) -> None:
    """Tags of files, queues, status bits and wear counters exist and fit; records do not overlap; a group has one table."""
    rows = [{"doc": 0, "tag": "nobody", "type": "u16"}, {"doc": 0, "tag": "mode", "type": "u16"}]
    found = make_interface(
        numbering=0,
        registers=[
            {"doc": 1, "tag": "mode", "type": "u16", "group": "g"},
            {"doc": 2, "tag": "mode", "type": "u16", "table": "input", "group": "g"},
            {"doc": 3, "tag": "mode", "type": "u16", "access": "rw", "effect": "eeprom", "wear_tag": "batch"},
        ],
        files={4: rows, 5: [{"doc": 10000, "tag": "mode", "type": "u16"}]},
        queues={70000: {"tag": "batch"}},
        exception_status=["voltage"],
        run_tag="nothing",
        server_id="{number}",
    )
    assert {(c.path[1], c.code) for c in conflicts(found)} == {
        ("registers", "bad-group"), ("registers", "bad-type"), ("files", "unknown-tag"), ("files", "overlap"),
        ("files", "bad-address"), ("queues", "bad-address"), ("queues", "bad-type"), ("exception_status", "bad-type"),
        ("run_tag", "unknown-tag"), ("server_id", "bad-value"),
    }  # fmt: skip


def test_defaults_are_the_standard_s() -> None:
    """A family that declares nothing answers with the standard's codes."""
    spec = ModbusSpec(registers=())
    assert spec.exceptions.model_dump() == {
        "function": 1, "wrong_function": 2, "address": 2, "part": 2, "part_write": 3, "count": 3, "value": 3, "state": 4,
        "busy": 6, "lost": 11,
    }  # fmt: skip
