"""What an interface may say of its OPC UA model: every mistake is told where it stands."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from labsim.plant.companion_states import MACHINES, machines_of
from labsim.plant.companion_structures import STRUCTURES
from labsim.plant.interface import Interface
from labsim.plant.rules import conflicts

GOOD: dict[str, Any] = {
    "type": "cell",
    "title": "Cell",
    "about": "A cell.",
    "identification": {"manufacturer": "Acme", "model": "C 1", "revision": "1", "serial": "C-1"},
    "tags": {
        "number": {"type": "u8", "title": "Number"},
        "name": {"type": "text", "title": "Name"},
        "jobs": {"type": "text", "title": "Jobs"},
        "order": {"type": "text", "access": "rw", "title": "Order"},
        "state": {"type": "u8", "initial": 2, "title": "State", "labels": {2: "Stopped", 6: "Execute"}},
    },
    "opcua": {
        "namespace": "urn:test",
        "type_name": "CellType",
        "base": "packml:PackMLBaseObjectType",
        "types": {"packml:Status": "packml:PackMLStatusObjectType"},
        "nodes": {"packml:Status/State": "state"},
        "structures": {
            "Tool": {"title": "Tool", "fields": {
                "Number": {"type": "u8", "title": "Number"}, "Name": {"type": "text", "title": "Name"},
                "Unit": {"type": "unit", "title": "Unit"}, "Inner": {"type": "Place", "title": "Place", "optional": True},
            }},
            "Place": {"title": "Place", "fields": {"Row": {"type": "i16", "title": "Row"}}},
        },
        "values": {
            "Tool": {"structure": "Tool", "title": "Tool",
                     "fields": {"Number": "number", "Name": "name", "Unit": {"unit": "mm"}}},
            "Jobs": {"structure": "isa95:ISA95JobOrderAndStateDataType", "title": "Jobs", "json": "jobs", "array": True},
        },
        "states": {
            "packml:BaseStateMachine": {
                "tag": "state", "type": "packml:PackMLBaseStateMachineType", "calls": {"Start": "start"},
            },
        },
        "methods": {"Replace": {"call": "replace", "title": "Replace", "inputs": {"Tool": {"type": "Tool", "title": "Tool"}}}},
    },
}  # fmt: skip


def told(*where: Any, value: Any) -> list[tuple[Any, str]]:
    """Where conflicts stand and their codes, when one thing in the interface is another."""
    changed = copy.deepcopy(GOOD)
    place = changed["opcua"]
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    return [(conflict.path, conflict.code) for conflict in conflicts(Interface.model_validate(changed))]


def test_a_good_model_has_no_conflict() -> None:
    """So that those below are about what was changed."""
    assert list(conflicts(Interface.model_validate(GOOD))) == []


TOOL = ("values", "Tool", "fields")
MISTAKES = [
    (("base",), "packml:Other", ("base",), "unknown-name"),
    (("types", "packml:Status"), "packml:Nothing", ("types", "packml:Status"), "unknown-name"),
    (("types", "Nowhere"), "packml:PackMLStatusObjectType", ("types", "Nowhere"), "unknown-name"),
    (("structures", "Tool", "fields", "Number", "type"), "Plaice", ("structures", "Tool", "fields", "Number", "type"),
     "unknown-name"),
    (("structures", "Place", "fields", "Back"), {"type": "Place", "title": "Back"}, ("structures", "Place"), "bad-type"),
    (("methods", "Replace", "inputs", "Tool", "type"), "Toll", ("methods", "Replace", "inputs", "Tool", "type"),
     "unknown-name"),
    (("values", "Tool", "structure"), "Toool", ("values", "Tool", "structure"), "unknown-name"),
    (TOOL, {"Number": "number", "Name": "name"}, TOOL, "missing"),
    ((*TOOL, "Colour"), "name", (*TOOL, "Colour"), "unknown-name"),
    ((*TOOL, "Number"), "nummer", (*TOOL, "Number"), "unknown-tag"),
    ((*TOOL, "Number"), "name", (*TOOL, "Number"), "bad-type"),
    ((*TOOL, "Unit"), "number", (*TOOL, "Unit"), "bad-type"),
    ((*TOOL, "Name"), {"unit": "mm"}, (*TOOL, "Name"), "bad-type"),
    (("values", "Jobs", "json"), "order", ("values", "Jobs", "json"), "bad-type"),
    (("values", "Jobs", "json"), "job", ("values", "Jobs", "json"), "unknown-tag"),
    (("states", "packml:BaseStateMachine", "tag"), "number", ("states", "packml:BaseStateMachine", "tag"), "bad-type"),
    (("states", "packml:BaseStateMachine", "type"), "packml:Machine", ("states", "packml:BaseStateMachine", "type"),
     "unknown-name"),
    (("states", "packml:BaseStateMachine", "calls"), {"Go": "go"}, ("states", "packml:BaseStateMachine", "calls", "Go"),
     "unknown-name"),
    (("states", "Door"), {"tag": "state", "type": "machinery:MachineryItemState_StateMachineType"}, ("states", "Door", "tag"),
     "bad-value"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "value", "path", "code"), MISTAKES, ids=[f"{'-'.join(m[0])}={m[1]}"[:60] for m in MISTAKES]
)
def test_a_mistake_is_told_where_it_stands(where: Any, value: Any, path: Any, code: str) -> None:
    """One conflict with its path and its code."""
    assert (("opcua", *path), code) in told(*where, value=value)


@pytest.mark.parametrize("value", [{}, {"unit": "mm", "constant": 1}, {"unit": "furlong"}])
def test_a_field_is_one_thing(value: Any) -> None:
    """A tag, a constant, a unit of the list, or fields."""
    with pytest.raises(ValueError, match=r"one of constant|furlong"):
        told(*TOOL, "Unit", value=value)


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_machines_of_specifications_hold_together(name: str) -> None:
    """Every transition joins two of its states, ids are used once, and a machine in another one is held by a state of it."""
    for machine in machines_of(name):
        assert {way.source for way in machine.transitions} | {way.target for way in machine.transitions} <= set(
            machine.states
        )
        ids = [state.node for state in machine.states.values()] + [way.node for way in machine.transitions]
        assert len(ids) == len(set(ids))
        assert machine.inner is None or machine.inner_state in machine.states
    numbers = [number for machine in machines_of(name) for number in machine.states]
    assert len(numbers) == len(set(numbers))


def test_structures_of_specifications_hold_together() -> None:
    """What they hold is a known type or one of them, and no number stands for two."""
    for name, structure in STRUCTURES.items():
        for field in structure.fields:
            assert ":" not in field.type or field.type in STRUCTURES, (name, field)
    for prefix in ("packml", "isa95"):
        found = [one for name, one in STRUCTURES.items() if name.startswith(prefix)]
        numbers = [number for one in found for number in (one.number, one.encoding)]
        assert len(numbers) == len(set(numbers))
