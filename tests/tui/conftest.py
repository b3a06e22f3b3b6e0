"""The app in a terminal of its own, attached to the fake host that lies with the tests of the client."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual import _wait
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))

from fake_host import FakeHost

from labsim.tui import attachment
from labsim.tui.app import LabsimApp, Progress, _no_record
from labsim.tui.screens.lab import LabScreen

CATALOGUE: list[dict[str, Any]] = [
    {
        "id": "first-contact",
        "title": {"en": "First contact", "zh-Hant": "初次接觸", "zh-Hans": "初次接触"},
        "level": "junior",
        "minutes": 30,
        "competences": ["NET-J1"],
    },
    {
        "id": "modbus-mapping",
        "title": {"en": "Modbus mapping", "zh-Hant": "點表", "zh-Hans": "点表"},
        "level": "senior",
        "minutes": 75,
        "competences": ["NET-J2"],
    },
]


@dataclass
class Seat:
    """A person at a terminal."""

    app: LabsimApp
    pilot: Pilot[int]
    stirred: asyncio.Event
    told: list[str]
    """Every notice there has been: on a busy machine one may have gone again before a test looks."""

    @property
    def screen(self) -> Screen[Any]:
        """What is in front."""
        return self.app.screen

    @property
    def lab(self) -> LabScreen:
        """The lab, in front or behind a dialog."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, LabScreen))

    @property
    def seen(self) -> str:
        """Every character on the terminal."""
        return "\n".join(strip.text for strip in self.screen._compositor.render_strips())

    @property
    def notices(self) -> str:
        """What the app told in passing."""
        return "\n".join(self.told)

    def text(self, selector: str) -> str:
        """The text of a static part of the screen in front."""
        return str(self.screen.query_one(selector, Static).render())

    async def press(self, *keys: str) -> None:
        """Press keys and let everything they start settle."""
        for key in keys:
            await self.pilot.press(key)
        await self.settle()

    async def settle(self) -> None:
        """Wait until what is in front has taken its messages and drawn itself, twice: a drawing may ask for another."""
        for _ in range(2):
            if self.app.return_value is not None:
                return
            screen, drawn = self.screen, asyncio.Event()
            screen.call_after_refresh(drawn.set)
            async with asyncio.timeout(60):
                # A screen that closed or was covered meanwhile draws no more.
                while not drawn.is_set() and self.app.return_value is None and self.screen is screen:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(drawn.wait(), 0.05)

    async def until(self, true: Callable[[], object]) -> None:
        """Let messages pass until something is so, looking again at each; a test that waits in vain fails."""
        async with asyncio.timeout(60):
            while not true():
                self.stirred.clear()
                with contextlib.suppress(TimeoutError):  # what becomes so in the host stirs nothing here
                    await asyncio.wait_for(self.stirred.wait(), 0.2)
        await self.settle()

    async def until_screen(self, name: str) -> None:
        """Wait for a screen, and for its widgets."""
        await self.until(lambda: type(self.screen).__name__ == name and self.screen.is_mounted)


@pytest.fixture
async def host() -> AsyncIterator[FakeHost]:
    """A fake host that listens."""
    async with FakeHost() as running:
        yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.002)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.001)
    monkeypatch.setattr(attachment, "ASK_S", 0.2)
    monkeypatch.setattr(attachment, "RETRY_S", 0.1)
    monkeypatch.setattr(attachment, "PICTURE_S", 0.1)


@asynccontextmanager
async def seat(
    host: FakeHost,
    *,
    size: tuple[int, int] = (120, 40),
    lang: str = "en",
    attached: bool = True,
    progress: Progress = _no_record,
) -> AsyncIterator[Seat]:
    """The app at a terminal of a size; attached to the host's lab, or in the catalogue."""

    async def start(_scenario: str) -> str:
        return host.url

    app = LabsimApp(CATALOGUE, start, host.url if attached else None, lang, progress)
    app.animation_level = "none"
    stirred, told, notify = asyncio.Event(), list[str](), app.notify

    def remember(message: str, **how: Any) -> None:
        told.append(message)
        notify(message, **how)

    app.notify = remember
    async with app.run_test(size=size, message_hook=lambda _message: stirred.set()) as pilot:
        person = Seat(app, pilot, stirred, told)
        await person.until_screen("LabScreen" if attached else "CatalogueScreen")
        yield person


@pytest.fixture
def sit() -> Callable[..., Any]:
    """`seat`, for tests."""
    return seat
