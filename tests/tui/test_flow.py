"""A person's way through the app: catalogue, briefing, lab, verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_host import FakeHost
from textual.widgets import Input, OptionList

from labsim.errors import EndpointError
from labsim.tui import app as app_module

SIZES = [(120, 40), (80, 24)]
Sit = Callable[..., Any]


@pytest.mark.parametrize("size", SIZES)
async def test_from_the_catalogue_to_the_verdict(host: FakeHost, sit: Sit, size: tuple[int, int]) -> None:
    """Enter starts a lab, Enter leaves the briefing, q stops and grades, q goes back to the catalogue."""
    async with sit(host, size=size, attached=False) as seat:
        assert "First contact" in seat.seen
        assert "senior" in seat.seen
        await seat.press("down", "enter")
        await seat.until_screen("BriefingScreen")
        await seat.until(lambda: "Three power meters" in seat.seen)  # the page is laid out beside the rest
        for part in ("Modbus: function codes", "75 min", "30 marks", "Three power meters"):
            assert part in seat.seen
        await seat.press("enter")
        await seat.until_screen("LabScreen")
        await seat.press("q")
        await seat.until_screen("Choice")
        await seat.press("end", "enter")
        await seat.until_screen("VerdictScreen")
        for part in ("7/30", "✘ not passed", "✔ 1  Read all four tables"):
            assert part in seat.seen
        await seat.press("q")
        await seat.until_screen("CatalogueScreen")


async def test_search_narrows_the_catalogue(host: FakeHost, sit: Sit) -> None:
    """Words in any language, in title, id or competence, narrow the list; none says so."""
    async with sit(host, attached=False) as seat:
        await seat.press("slash", *"點表")
        assert seat.screen.query_one(OptionList).option_count == 1
        assert "Modbus mapping" in seat.seen
        await seat.press(*"xxxx")
        assert "No lab matches." in seat.seen
        seat.screen.query_one(Input).value = "j1"
        await seat.press("enter")
        assert seat.screen.query_one(OptionList).highlighted_option.id == "first-contact"


@pytest.mark.parametrize("catalogue", [[], [{}], [{"id": 3, "title": None, "minutes": "x", "competences": 5}]])
async def test_any_catalogue_is_shown(catalogue: list[dict[str, Any]]) -> None:
    """An empty or odd catalogue is a screen, not an end of the program."""

    async def start(_scenario: str) -> str:
        raise AssertionError

    app = app_module.LabsimApp(catalogue, start)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert type(app.screen).__name__ == "CatalogueScreen"


async def test_a_host_that_cannot_start_is_told(host: FakeHost, sit: Sit) -> None:
    """The sentence of the error is shown and the catalogue stays."""
    async with sit(host, attached=False) as seat:

        async def start(_scenario: str) -> str:
            raise EndpointError("port 5020 is taken; choose others with --port-base")

        seat.app._start = start
        await seat.press("enter")
        await seat.until(lambda: "port 5020 is taken" in seat.notices)
        assert type(seat.screen).__name__ == "CatalogueScreen"


async def test_leaving_keeps_the_lab_running(host: FakeHost, sit: Sit) -> None:
    """Leaving does not stop the host; staying does nothing."""
    async with sit(host) as seat:
        await seat.press("q")
        await seat.until_screen("Choice")
        await seat.press("enter")
        await seat.until_screen("LabScreen")
        await seat.press("q")
        await seat.until_screen("Choice")
        await seat.press("down", "enter")
        await seat.until(lambda: seat.app.return_value is not None)
    assert seat.app.return_value == 0
    assert ("POST", "stop", {}) not in host.asked


async def test_a_lab_stopped_elsewhere_shows_its_verdict(host: FakeHost, sit: Sit) -> None:
    """When somebody stops the lab by command, the verdict comes up here, over whatever was open."""
    async with sit(host) as seat:
        await seat.press("q")
        await seat.until_screen("Choice")
        host.lab.verdict, host.lab.state = host.lab.check(None, "en"), "stopped"
        await seat.until_screen("VerdictScreen")
        await seat.press("enter")
        await seat.until(lambda: seat.app.return_value is not None)
    assert seat.app.return_value == 1
