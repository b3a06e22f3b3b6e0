"""Claims about the register map: addresses, tables, halves, settings, constants, invalid values."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from labsim.endpoints.modbus.application import Application
from labsim.endpoints.modbus.register_map import describe
from labsim.errors import InputError, UnknownNameError
from labsim.plant import status


def test_describe_says_what_a_manual_prints(make_interface: Any) -> None:
    """Each register comes with its printed number, wire address, type, size, tag, scale, order and access."""
    found = {(e.table, e.doc): e for e in describe(make_interface())}
    voltage, setpoint, ramp = found["holding", 101], found["holding", 201], found["holding", 203]
    assert (voltage.address, voltage.type, voltage.size, voltage.tag, voltage.unit) == (100, "f32", 2, "voltage", "V")
    assert (voltage.word_order, voltage.access, voltage.title.say()) == ("ABCD", "r", "Voltage")
    assert (setpoint.access, ramp.scale, ramp.word_order) == ("rw", 10.0, None)
    assert found["holding", 122].word_order == "CDAB"
    assert found["holding", 122].together == (121, 125)
    assert found["holding", 121].constant == 3


def test_describe_follows_settings(make_interface: Any) -> None:
    """A base register shifts every address; a device's word order holds where a register has none of its own."""
    found = {(e.table, e.doc): e for e in describe(make_interface(), {"base_register": 40, "word_order": "DCBA"})}
    assert found["holding", 101].address == 140
    assert found["holding", 101].word_order == "DCBA"
    assert found["holding", 122].word_order == "CDAB"
    assert found["coil", 1].address == 40


def test_describe_is_sorted_and_needs_no_device(make_interface: Any) -> None:
    """The list stands in the order of tables and addresses, from the interface alone."""
    entries = describe(make_interface())
    tables = ["holding", "input", "coil", "discrete"]
    assert entries == sorted(entries, key=lambda e: (tables.index(e.table), e.address))


def test_zero_based_and_long_numbering(make_bench: Any) -> None:
    """A manual that counts from 0 or from 400001 names the same wire address in its own way."""
    register = {"tag": "voltage", "type": "f32"}
    assert make_bench(numbering=0, registers=[{"doc": 7, **register}]).ask("03 0007 0002") == "03 04 43 66 80 00"
    bench = make_bench(numbering=400001, registers=[{"doc": 400008, **register}])
    assert bench.ask("03 0007 0002") == "03 04 43 66 80 00"


def test_a_changed_setting_moves_the_map_at_once(bench: Any) -> None:
    """After a person changes word order or base register, the next request meets the new map."""
    assert bench.ask("03 0064 0002") == "03 04 43 66 80 00"
    bench.device.configure("word_order", "CDAB")
    assert bench.ask("03 0064 0002") == "03 04 80 00 43 66"
    bench.device.configure("base_register", 20)
    assert bench.ask("03 0064 0002") == "83 02"
    assert bench.ask("03 0078 0002") == "03 04 80 00 43 66"


def test_a_write_follows_the_word_order(make_bench: Any) -> None:
    """The words a client writes are taken in the same order in which they are read."""
    bench = make_bench({"word_order": "CDAB"})
    assert bench.ask("10 00c8 0002 04 0000 41c8") == "10 00 c8 00 02"
    assert bench.device["setpoint"] == 25.0


def test_tables_are_apart_unless_the_family_joins_them(make_bench: Any) -> None:
    """FC04 does not see holding registers, but in a family whose FC03 and FC04 are one table each sees both."""
    assert make_bench().ask("04 0064 0002") == "84 02"
    both = make_bench(same_tables=True)
    assert both.ask("04 0064 0002") == "04 04 43 66 80 00"
    assert both.ask("03 0000 0002") == "03 04 c1 45 70 a4"
    assert both.ask("01 0064 0001") == "81 02"


def test_a_hole_is_refused_and_so_is_the_end(bench: Any) -> None:
    """A request that touches one register that is not there gets 02 as a whole."""
    assert bench.ask("03 0078 0005")[:5] == "03 0a"
    assert bench.ask("03 0078 0006") == "83 02"
    assert bench.ask("03 007d 0001") == "83 02"
    assert bench.ask("03 0063 0002") == "83 02"
    assert bench.ask("03 ffff 0002") == "83 02"


def test_half_a_value_is_given_or_refused(make_bench: Any) -> None:
    """A lenient family gives half of a float; a strict one answers 02 at either end of the request."""
    assert make_bench().ask("03 0065 0001") == "03 02 80 00"
    strict = make_bench(half_values="refuse")
    assert strict.ask("03 0065 0001") == "83 02"
    assert strict.ask("03 0064 0003") == "83 02"
    assert strict.ask("03 0064 0004") == "03 08 43 66 80 00 40 88 00 00"


def test_half_of_a_turned_value_is_the_word_at_that_address(make_bench: Any) -> None:
    """With words swapped, the first register alone holds the low word."""
    assert make_bench({"word_order": "CDAB"}).ask("03 0064 0001") == "03 02 80 00"
    assert make_bench({"word_order": "BADC"}).ask("03 0065 0002") == "03 04 00 80 88 40"


def test_an_atomic_value_is_refused_in_halves_by_itself(bench: Any) -> None:
    """A 64-bit counter marked atomic cannot be torn even in a family that gives halves."""
    assert bench.ask("03 0079 0004") == "03 08 04 cb 71 fb 01 1f 00 00"
    assert bench.ask("03 0079 0002") == "83 02"
    assert bench.ask("03 007b 0002") == "83 02"


def test_constants_carry_the_serial_number(bench: Any) -> None:
    """The serial number of the device stands in its text register and, as a number, in its u32 register."""
    digits = bench.device.serial.removeprefix("AN1-")
    assert bench.ask("03 006e 0002") == "03 04 " + struct.pack(">I", int(digits)).hex(" ")
    assert bench.ask("03 0070 0008") == "03 10 " + f"AN {bench.device.serial}".encode().ljust(16, b"\0").hex(" ")
    assert bench.ask("03 0078 0001") == "03 02 00 03"


def test_an_invalid_value_is_shown_as_its_register_says(bench: Any) -> None:
    """While the status is Bad: NaN, the reserved integer, or the last value; Uncertain is still a value."""
    bench.device.mark("voltage", status.BAD_SENSOR_FAILURE)
    bench.device.mark("temperature", status.BAD_NO_COMMUNICATION)
    reply = bytes.fromhex(bench.ask("03 012c 0005") or "")
    nan, temperature, last = struct.unpack(">fhf", reply[2:])
    assert math.isnan(nan)
    assert temperature == -32768
    assert last == 230.5
    bench.device.mark("voltage", status.UNCERTAIN_LAST_USABLE_VALUE)
    assert bench.ask("03 012c 0002") == "03 04 43 66 80 00"


def test_a_nan_tag_is_read_as_nan(bench: Any) -> None:
    """A device that has no value passes NaN through a float register."""
    bench.device["voltage"] = math.nan
    assert bench.ask("03 0064 0002") == "03 04 7f c0 00 00"


def test_the_map_is_a_live_view(bench: Any) -> None:
    """A request sees the value at that moment, without any copy in between."""
    for value in (0.0, 1.0, -1.0):
        bench.device["voltage"] = value
        assert bench.ask("03 0064 0002") == "03 04 " + struct.pack(">f", value).hex(" ")


def test_scaled_integers(bench: Any) -> None:
    """-12.34 at scale 100 is -1234, and 4.25 at scale 1000 is 4250; a value too large stands at the end of the range."""
    assert bench.ask("03 006c 0002") == "03 04 fb 2e 10 9a"
    bench.device["current"] = 400.0
    bench.device["temperature"] = -4000.0
    assert bench.ask("03 006c 0002") == "03 04 80 00 ff ff"


def test_registers_shifted_off_the_address_space_are_gone(make_interface: Any) -> None:
    """Nothing wraps round: what a base register moves past 65535 cannot be reached."""
    modbus = {"registers": [{"doc": 65536, "tag": "voltage", "type": "f32"}, {"doc": 1, "tag": "mode", "type": "u16"}]}
    assert [entry.doc for entry in describe(make_interface(**modbus))] == [1]


def test_a_serial_number_that_does_not_fit_is_told(make_bench: Any) -> None:
    """A u16 register for an eight-digit serial number is the author's mistake, named with its register."""
    from labsim.endpoints.modbus.register import Register

    bench = make_bench()
    entry = next(e for e in describe(bench.device.interface) if e.doc == 111)
    bench.device.serial = "AN1-99999999999"
    with pytest.raises(InputError, match="register 111 is u32 and cannot hold"):
        Register(entry, bench.device)


def test_units_must_exist_and_speak_modbus(bench: Any, make_interface: Any) -> None:
    """An endpoint over a device that is not there, or that has no register map, is refused with its name."""
    with pytest.raises(UnknownNameError, match="an1"):
        Application(bench.plant, {1: "an2"}, bench.sink)
    bench.device.interface = make_interface().model_copy(update={"modbus": None})
    with pytest.raises(InputError, match="does not speak Modbus"):
        Application(bench.plant, {1: "an1"}, bench.sink)
