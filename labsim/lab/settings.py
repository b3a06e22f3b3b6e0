"""The settings of a running lab's devices: who may change which of them, and that each change is evidence."""

from __future__ import annotations

from typing import Any

from labsim.errors import AttemptError, InputError, UnknownNameError
from labsim.lab.note import Note
from labsim.plant.plant import Plant
from labsim.scenario.model import Scenario


class Settings:
    """The settings of one lab's devices.

    Args:
        plant: The devices.
        scenario: What it fixes is part of the exercise, and not for a trainee.
        note: Keeps the events.
    """

    def __init__(self, plant: Plant, scenario: Scenario, note: Note) -> None:
        self._plant, self._scenario, self._note = plant, scenario, note

    def open(self, device: str) -> list[str]:
        """Settings a trainee may see and change: not what the scenario fixes, since that is the exercise, nor what is hidden."""
        fixed, known = self._scenario.plant[device].settings, self._plant.devices[device].interface.settings
        return [name for name, spec in known.items() if name not in fixed and not spec.hidden]

    def change(self, device: str, setting: str, value: Any, *, by: str = "trainee") -> dict[str, Any]:
        """Change a setting because somebody wants it so.

        Raises:
            UnknownNameError: there is no such device or setting.
            InputError: it does not take the value, or is not for a trainee.
            AttemptError: the plant is paused.
        """
        if device not in self._plant.devices:
            raise UnknownNameError("device", device, self._plant.devices)
        spec = self._plant.devices[device].interface.settings.get(setting)
        secret = setting in self._scenario.plant[device].settings or (spec is not None and spec.hidden)
        if by == "trainee" and secret:
            raise InputError(f"{device}.{setting} is part of the exercise and cannot be changed here.")
        if self._plant.clock.paused:
            raise AttemptError("the plant is paused; nothing of it changes until 'labsim resume'.")
        return {"device": device, "setting": setting, "value": self._set(device, setting, value, by)}

    def happen(self, device: str, setting: str, value: Any, entry: int) -> None:
        """Change a setting because the timeline has it so, at the entry of this number."""
        self._set(device, setting, value, "timeline", entry=entry)

    def _set(self, device: str, setting: str, value: Any, by: str, **about: Any) -> Any:
        parsed = self._plant.devices[device].configure(setting, value)
        self._note("setting", device=device, values=[parsed], detail={"setting": setting, "by": by, **about})
        return parsed
