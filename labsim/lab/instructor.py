"""What an instructor does to a running lab: let something fail, and let the plant stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labsim.errors import AttemptError, InputError
from labsim.lab.faults import GOOD, LabFaults
from labsim.lab.keeper import Keeper
from labsim.plant.plant import Plant


class Instructor:
    """The acts of an instructor in one lab.

    Args:
        plant: The plant.
        faults: What goes wrong with it.
        keeper: Keeps that it was paused.
    """

    def __init__(self, plant: Plant, faults: LabFaults, keeper: Keeper) -> None:
        self._plant, self._faults, self._keeper = plant, faults, keeper

    def fault(self, target: str, fault: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Let something fail, or with the fault ``good`` end everything that is wrong with a target.

        Args:
            target: ``device``, ``device.tag``, ``link.modbus``, ``endpoint.modbus``.
            fault: What happens to it.
            settings: Its parameters, ``for`` and ``hidden``.

        Raises:
            UnknownNameError: there is no such target, fault or parameter.
            InputError: the settings do not make a fault.
            AttemptError: the plant is paused.
        """
        clock = self._plant.clock
        if clock.paused:
            raise AttemptError("the plant is paused; nothing can go wrong until 'labsim resume'.")
        if fault == GOOD:
            return {"target": target, "fault": fault, "ended": self._faults.clear(target, by="instructor")}
        hidden = settings.get("hidden", False)
        if not isinstance(hidden, bool):
            raise InputError("'hidden' is true or false.")
        given = {name: value for name, value in settings.items() if name != "hidden"}
        self._faults.begin(target, fault, given, clock.now_ns(), hidden=hidden, by="instructor")
        return {"target": target, "fault": fault}

    def pause(self) -> None:
        """Freeze the plant: time stands still, values can be read, and what would change the plant is refused."""
        if not self._plant.clock.paused:
            self._keeper.note("pause", detail={"phase": "begin"})
            self._plant.freeze()

    def resume(self) -> None:
        """Let the plant go on from where it was frozen.

        Raises:
            DiskError: it stands because the disk takes nothing.
        """
        if self._keeper.outage is not None:
            raise self._keeper.outage.error
        if self._plant.clock.paused:
            self._plant.thaw()
            self._keeper.note("pause", detail={"phase": "end"})
