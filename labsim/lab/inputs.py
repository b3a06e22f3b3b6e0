"""What came into the plant from outside, in the order of the journal: enough to bring a plant back to where it was.

A plant depends on its scenario, its seed and these inputs alone. So a host that was killed resumes by running the plant again
from the start with the journalled inputs, instead of from a copy of its state that might disagree with the journal; and an
attempt can be replayed years later to see that its history is true.
"""

from __future__ import annotations

from collections.abc import Iterable

from labsim.evidence.event import Event, Record
from labsim.lab.faults import fault_of
from labsim.plant.alarms import Action
from labsim.plant.clock import STEP_NS
from labsim.plant.plant import Plant
from labsim.plant.rest_spec import Asked

NOT_OF_THE_PLANT = ("link.", "endpoint.", "rogue.")
"""What the faults begin with that do not change the plant."""


class Inputs:
    """Runs a started plant, doing again in each step what came in during it.

    Args:
        plant: At step 0, or wherever the records begin.
        records: The journal; what is no input is passed over.
    """

    def __init__(self, plant: Plant, records: Iterable[Record]) -> None:
        self._plant = plant
        self._inputs = [record for record in records if is_input(record)]
        self._next = 0

    def advance(self) -> None:
        """One step, with the inputs that came before its end."""
        self._apply((self._plant.clock.step + 1) * STEP_NS)
        self._plant.advance()

    def advance_to(self, step: int) -> None:
        """Advance to a step, then do what came in after it."""
        while self._plant.clock.step < step:
            self.advance()
        self._apply(None)

    def _apply(self, before_ns: int | None) -> None:
        while self._next < len(self._inputs) and (before_ns is None or self._inputs[self._next].t < before_ns):
            apply(self._plant, self._inputs[self._next])
            self._next += 1


def is_input(record: Event) -> bool:
    """Whether a record changed the plant."""
    return record.status == 0 and (
        record.kind in ("setting", "acknowledge", "condition")
        or (record.kind == "fault" and not str(record.detail["fault"]).startswith(NOT_OF_THE_PLANT))
        or (record.kind == "call" and "name" in record.detail)
        or (record.kind == "request" and "asked" in record.detail and record.detail["method"] not in ("GET", "HEAD"))
        or (record.kind in ("write", "watchdog") and bool(record.tags))
    )


def apply(plant: Plant, record: Record) -> None:
    """Do again what the record says was done."""
    if record.kind == "setting":
        plant.devices[record.device].configure(str(record.detail["setting"]), record.values[0])
        return
    if record.kind == "fault":
        _fail(plant, record)
        return
    if record.kind == "request":
        plant.devices[record.device].ask(str(record.detail["name"]), Asked(**record.detail["asked"], user=record.user))
        return
    if record.kind in ("call", "acknowledge", "condition"):
        _act(plant, record)
        return
    store, idle = (
        plant.store,
        record.detail.get("idle", ()),
    )  # what a Modbus register that waits for an edge took no note of
    changes = [
        (store[path].row, value) for path, value in zip(record.tags, record.values, strict=True) if path not in idle
    ]
    if record.kind == "watchdog":  # the device's own doing
        for row, value in changes:
            store.set(row, value)
    else:
        store.accept(changes)  # it was judged then; what was refused before it is not in the journal
    for path, count in record.detail.get("wear", {}).items():
        store.set(store[path].row, count)


def _fail(plant: Plant, record: Record) -> None:
    """A fault of a tag or a device that began or ended."""
    number = int(record.detail["number"])
    if record.detail["phase"] == "end":
        plant.faults.end(number)
    else:
        plant.faults.begin(number, record.subject, *fault_of(record))


def _act(plant: Plant, record: Record) -> None:
    """A method that was called, or something done with an alarm."""
    seen = record.detail
    if record.kind == "call":
        plant.devices[record.device].call(str(seen["name"]), seen["arguments"])
        return
    action: Action = seen["action"] if record.kind == "condition" else "acknowledge"
    comment, seconds = seen.get("comment"), float(seen.get("seconds", 0))
    plant.alarms[seen["condition"]].act(action, user=record.user, comment=comment, seconds=seconds)
