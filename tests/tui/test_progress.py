"""What the learner has reached, in the catalogue and on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost

from labsim.cli.progress import record_of
from labsim.userdata import VARIABLE

Sit = Callable[..., Any]


def reached() -> dict[str, Any]:
    """One lab was passed, one competence of all is reached."""
    record = record_of()
    for row in record["competences"]:
        if row["id"] == "NET-J1":
            row |= {"best": 0.8, "passed": True, "attempts": 2}
    return record | {"labs": {"first-contact": {"best": 0.8, "passed": True, "attempts": 2}}}


async def test_the_catalogue_shows_the_best_marks(host: FakeHost, sit: Sit) -> None:
    """A lab that was finished has its best share beside it, another one has nothing."""
    async with sit(host, attached=False, progress=reached) as seat:
        assert "best 80%" in seat.seen
        assert seat.seen.count("best ") == 1


async def test_the_page_shows_every_competence(host: FakeHost, sit: Sit) -> None:
    """The key p opens the page; what was reached has a bar and its share, what was not is said to be open."""
    async with sit(host, attached=False, progress=reached) as seat:
        await seat.press("p")
        await seat.until_screen("Sheet")
        await seat.until(lambda: "80%" in seat.seen)
        assert "Your progress" in seat.seen
        assert "not attempted yet" in seat.seen


async def test_without_an_attempt_the_page_says_so(
    host: FakeHost, sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first lab there is a sentence instead of thirty empty bars."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))  # other tests may have finished labs
    async with sit(host, attached=False, progress=record_of) as seat:
        await seat.press("p")
        await seat.until_screen("Sheet")
        await seat.until(lambda: "You have not finished a lab yet" in seat.seen)
