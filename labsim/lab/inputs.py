"""What came into the plant from outside, in the order of the journal: enough to bring a plant back to where it was.

A plant depends on its scenario, its seed and these inputs alone. So a host that was killed resumes by running the plant again
from the start with the journalled inputs, instead of from a copy of its state that might disagree with the journal.
"""

from __future__ import annotations

from collections.abc import Iterable

from labsim.evidence.event import Record
from labsim.plant.clock import STEP_NS
from labsim.plant.plant import Plant


def replay(plant: Plant, records: Iterable[Record], until_step: int) -> None:
    """Advance a started plant to ``until_step``, applying each input in the step in which it came."""
    inputs = [record for record in records if is_input(record)]
    position = 0
    while plant.clock.step < until_step:
        end_ns = (plant.clock.step + 1) * STEP_NS
        while position < len(inputs) and inputs[position].t < end_ns:
            apply(plant, inputs[position])
            position += 1
        plant.advance()
    for record in inputs[position:]:
        apply(plant, record)


def is_input(record: Record) -> bool:
    """Whether a record changed the plant."""
    return record.status == 0 and (record.kind == "setting" or (record.kind == "write" and bool(record.tags)))


def apply(plant: Plant, record: Record) -> None:
    """Do again what the record says was done."""
    if record.kind == "setting":
        plant.devices[record.device].configure(str(record.detail["setting"]), record.values[0])
        return
    for path, value in zip(record.tags, record.values, strict=True):
        plant.store.write(plant.store[path].row, value)
