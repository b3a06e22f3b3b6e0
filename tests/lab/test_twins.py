"""Attempts of one scenario and seed replayed together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labsim.evidence.history_file import read_records, record_files
from labsim.lab import twins
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario

STEPS = 30


async def attempt(folder: Path, until: int, *currents: float) -> Path:
    """An attempt of so many steps, in which a setting is changed before the first."""
    options = Options(seed="twins", attempt=folder, speed=200.0, port_base=0, until=until / 10)
    async with Lab(find_scenario("modbus-mapping"), options) as lab:
        for current in currents:
            lab.settings.change("meter3", "rated_current", current)
        await lab.stopping.wait()
        await lab.close("enough")
    return folder


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The attempts whose plants are computed anew."""
    names: list[str] = []
    real = twins.replay_attempt

    def replay(folder: Path) -> object:
        names.append(folder.name)
        return real(folder)

    monkeypatch.setattr(twins, "replay_attempt", replay)
    return names


def falsify(folder: Path) -> None:
    """Change one number of a history in its last place."""
    (path,) = record_files(folder)
    records = read_records(path).copy()
    at = int(np.flatnonzero(records["step"] >= 5)[0])
    records["value"][at] = np.nextafter(records["value"][at], np.inf)
    path.unlink()
    records.tofile(path.with_suffix(".bin"))


async def test_the_same_plant_is_computed_once(tmp_path: Path, replayed: list[str]) -> None:
    """Attempts with the same inputs differ in length only, so the longest stands for all of them; others are replayed too."""
    folders = [
        await attempt(tmp_path / "short", STEPS),
        await attempt(tmp_path / "long", 2 * STEPS),
        await attempt(tmp_path / "other", STEPS, 90),
        await attempt(tmp_path / "again", STEPS, 90),
        await attempt(tmp_path / "third", STEPS, 80),
    ]
    assert twins.replay_twins(folders) == dict.fromkeys(folders)
    assert replayed[0] == "long"
    assert len(replayed) == 3


@pytest.mark.parametrize("false", ["short", "long"])
async def test_a_changed_number_is_found_in_either(tmp_path: Path, replayed: list[str], false: str) -> None:
    """A history that another does not begin with is replayed by itself, and what is untrue in one is not said of the other."""
    folders = {"short": await attempt(tmp_path / "short", STEPS), "long": await attempt(tmp_path / "long", 2 * STEPS)}
    falsify(folders[false])
    found = twins.replay_twins(folders.values())
    assert {folder.name for folder, difference in found.items() if difference is not None} == {false}
    assert sorted(replayed) == ["long", "short"]
