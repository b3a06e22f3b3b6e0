"""A plant brought back from the journal stands where it stood, although a write may do more or less than set its values."""

from __future__ import annotations

from typing import Any

import msgspec

from labsim.evidence.event import Record
from labsim.lab.inputs import apply, is_input
from labsim.scenario.modbus import WatchdogSpec


def test_what_writes_and_watchdogs_did_is_done_again(make_bench: Any) -> None:
    """Edges that had no effect, worn memories, safe states and restored outputs come back as they were."""
    rows = [
        {"doc": 1, "tag": "command", "type": "u16", "access": "rw", "effect": "edge"},
        {"doc": 2, "tag": "setpoint", "type": "f32", "access": "rw", "effect": "eeprom", "wear_tag": "wear"},
        {"doc": 4, "tag": "ramp", "type": "u16", "access": "rw"},
        {"doc": 1, "tag": "valve", "type": "bool", "table": "coil", "access": "rw"},
    ]
    modbus = {"numbering": 0, "registers": rows}
    dog = WatchdogSpec.model_validate({"time": 1, "safe": {"ramp": 0, "valve": False}, "restore": True})
    lived = make_bench(core={"watchdogs": {"an1": dog}}, **modbus)
    again = make_bench(**modbus)

    def replay() -> None:
        for seq, event in enumerate(lived.sink.events, 1):
            fields = {name: getattr(event, name) for name in event.__struct_fields__}
            record = msgspec.convert({**fields, "seq": seq, "t": 0, "w": 0, "m": 0}, Record)
            if is_input(record):
                apply(again.plant, record)
        lived.sink.events.clear()
        assert again.plant.store.value.tolist() == lived.plant.store.value.tolist()

    lived.ask("06 0001 0001")
    replay()
    for bench in (lived, again):
        bench.device["command"] = 0  # both devices have done it
    lived.ask("06 0001 0001")
    lived.ask("10 0002 0002 04 41c80000")
    lived.ask("10 0002 0002 04 42c80000")
    lived.ask("05 0001 ff00")
    lived.ask("06 0004 0007")
    replay()
    assert (again.device["command"], again.device["wear"], again.device["setpoint"]) == (0, 2, 100)
    lived.advance(1)
    replay()
    assert (again.device["ramp"], again.device["valve"]) == (0, False)
    lived.ask("03 0004 0001")
    replay()
    assert (again.device["ramp"], again.device["valve"]) == (7, True)
