"""The lab screen against a host on a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost, entry
from textual.widgets import DataTable, Input, TabbedContent

from labsim.tui.widgets.endpoints import Folder
from labsim.tui.widgets.tasks import Tasks
from labsim.tui.widgets.wire import Wire

Sit = Callable[..., Any]
SIZES = [(120, 40), (80, 24)]


async def test_header_and_tasks_stand_there_at_once(host: FakeHost, sit: Sit) -> None:
    """Title, time left, plant time, marks, seed, state and every task can be read without a key."""
    async with sit(host) as seat:
        for part in ("Modbus: function codes", "38:1", "plant 36:", "marks 0/30", "seed 7", "● running ×1"):
            assert part in seat.seen
        for part in ("Read all four tables", "not checked yet", "asks for an answer", "No hints for this task."):
            assert part in seat.seen


async def test_check_of_one_task(host: FakeHost, sit: Sit) -> None:
    """C marks the selected task alone, unfolds why, and adds up the marks."""
    async with sit(host) as seat:
        await seat.press("down", "c")
        await seat.until(lambda: seat.lab.outcomes)
        assert list(seat.lab.outcomes) == ["orders"]
        for part in (
            "◐ 2",
            "partly",
            "✘ Word order of meter3 · failed",
            "expected BADC",
            "got      ABCD",
            "marks 3/30",
        ):
            assert part in seat.seen
        assert "partly, 3/6" in seat.notices


async def test_check_of_all(host: FakeHost, sit: Sit) -> None:
    """C marks all; each outcome shows its sign and word, and Enter folds a task."""
    async with sit(host) as seat:
        await seat.press("C")
        await seat.until(lambda: len(seat.lab.outcomes) == 5)
        for part in ("✔ 1", "passed", "⊘ 4", "waits for another", "! 5", "our fault, costs nothing", "marks 7/30"):
            assert part in seat.seen
        assert "Tables read" not in seat.seen
        await seat.press("enter")
        assert "Tables read" in seat.seen
        await seat.press("enter")
        assert "Tables read" not in seat.seen


async def test_hint_is_asked_for_with_its_cost(host: FakeHost, sit: Sit) -> None:
    """A hint says what it costs first; only a yes opens it; the panel shows it and the next price."""
    async with sit(host) as seat:
        await seat.press("h")
        await seat.until(lambda: "No hints for this task." in seat.notices)
        await seat.press("down", "h")
        await seat.until_screen("Choice")
        assert "of 6 marks." in seat.seen
        await seat.press("escape")
        await seat.until_screen("LabScreen")
        assert not host.lab.opened
        await seat.press("h")
        await seat.until_screen("Choice")
        await seat.press("enter")
        await seat.until(lambda: "2 left; the next costs 1" in seat.seen)
        assert "Four orders" in seat.seen
        host.lab.opened["orders"] = 3
        await seat.until(lambda: "All hints are open." in seat.seen)
        await seat.press("h")
        assert "All hints are open." in seat.notices


async def test_answer_is_typed_and_kept(host: FakeHost, sit: Sit) -> None:
    """A asks the task's own question, sends what is typed, and shows it afterwards; an empty line is no answer."""
    async with sit(host) as seat:
        await seat.press("a")
        assert "asks no question" in seat.notices
        await seat.press("down", "a")
        await seat.until_screen("Ask")
        assert "Which word order does meter3 use?" in seat.seen
        await seat.press("enter")
        assert type(seat.screen).__name__ == "Ask"
        await seat.press(*"BADC", "enter")
        await seat.until(lambda: "you answered BADC" in seat.seen)
        assert host.lab.answers == {"orders": "BADC"}
        await seat.press("a")
        await seat.until_screen("Ask")
        assert seat.screen.query_one(Input).value == "BADC"


async def test_wire_folds_advises_and_filters(host: FakeHost, sit: Sit) -> None:
    """Repeated polls fold, advice stands below, f narrows, Enter shows everything about an entry."""
    await host.push(*(entry(n, f"You read address 0 → {n:04x}") for n in range(1, 13)))
    await host.push(
        entry(13, "You read 40001 → exception 02", level="error", advice={"en": "Count from 0."}, detail={"fc": 3})
    )
    await host.push(entry(14, "You wrote 253 → good", level="write"))
    async with sit(host) as seat:
        await seat.press("3")
        await seat.until(lambda: "You wrote 253" in seat.seen)
        for part in ("×12", "000c", "✘ modbus", "│ Count from 0.", "f: all · following"):
            assert part in seat.seen
        await seat.press("f")
        assert "f: errors" in seat.seen
        assert "You wrote" not in seat.seen
        await seat.press("up", "enter")
        await seat.until_screen("Sheet")
        for part in ("Entry 13", "Count from 0.", '"fc": 3', "127.0.0.1:51544"):
            assert part in seat.seen


async def test_wire_holds_when_scrolled_and_follows_again(host: FakeHost, sit: Sit) -> None:
    """Moving up holds the view while entries go on coming; End follows the newest again."""
    async with sit(host) as seat:
        await seat.press("3")
        wire = seat.screen.query_one(Wire)
        await host.push(*(entry(n, f"You read number {n}.") for n in range(1, 101)))
        await seat.until(lambda: "number 100." in seat.seen)
        await seat.press("home")
        assert "number 1." in seat.seen
        assert "held" in seat.seen
        await host.push(entry(101, "You read number 101."))
        await seat.until(lambda: len(wire.log_.rows) == 101)
        assert "number 1." in seat.seen
        await seat.press("end")
        assert "number 101." in seat.seen
        assert wire.following


async def test_copying(host: FakeHost, sit: Sit) -> None:
    """y, Enter and a click copy what is under the cursor and say so; the hand-in folder too."""
    async with sit(host) as seat:
        await seat.press("2", "y")
        await seat.until(lambda: seat.app.clipboard == "modbus://127.0.0.1:5020")
        assert "Copied: modbus://127.0.0.1:5020" in seat.notices
        await seat.press("down", "down", "down", "right", "right", "right", "enter")
        await seat.until(lambda: seat.app.clipboard == "fill-7301")
        table = seat.screen.query_one("#endpoints DataTable", DataTable)
        await seat.pilot.click(table, offset=(12, 6))
        await seat.until(lambda: seat.app.clipboard == "mqtt://127.0.0.1:1883")
        seat.screen.query_one(Folder).focus()
        await seat.press("y")
        await seat.until(lambda: seat.app.clipboard == "attempts/modbus-mapping-7/handin")


async def test_endpoints_say_who_is_connected(host: FakeHost, sit: Sit) -> None:
    """The clients the plant sees are listed below the addresses."""
    async with sit(host) as seat:
        await seat.press("2")
        assert "gateway1  127.0.0.1:51602" in seat.seen


async def test_services_beside_the_line(host: FakeHost, sit: Sit) -> None:
    """REST and time services stand in the list with their accounts; their requests read as sentences, and polls fold."""
    asked = "You sent POST /mes1/v1/orders: 201"
    polled = (
        "You keep reading holding register at address 0, count 2, from meter1 (unit 11, FC3) → 10 times in this second"
    )
    await host.push(
        entry(1, asked, protocol="http", kind="request", level="write", device="mes1"),
        entry(2, "127.0.0.1:5 asked time1 for the time.", protocol="ntp", kind="request", device="time1"),
        *(entry(n, f"{polled}, {n} to 120 ms apart", kind="poll") for n in range(3, 8)),
    )
    async with sit(host) as seat:
        await seat.press("2")
        for part in ("http://127.0.0.1:8080/mes1/v1", "4711", "ntp://127.0.0.1:10123"):
            assert part in seat.seen
        await seat.press("3")
        await seat.until(lambda: "×5" in seat.seen)
        for part in (
            "▸ http    You sent POST /mes1/v1/orders: 201",
            "· ntp     127.0.0.1:5 asked time1",
            "7 to 120 ms apart",
        ):
            assert part in seat.seen


async def test_device_settings_and_datasheet(host: FakeHost, sit: Sit) -> None:
    """Enter changes a setting through the host, d opens the datasheet of the device's type."""
    async with sit(host) as seat:
        await seat.press("4", "down", "enter")
        await seat.until_screen("Ask")
        assert seat.screen.query_one(Input).value == "voltage"
        await seat.press(*["backspace"] * 7, *"power", "enter")
        await seat.until(lambda: host.lab.settings["meter1"]["display"] == "power")
        await seat.until(lambda: "display is now power" in seat.notices)
        await seat.press("d")
        await seat.until_screen("Sheet")
        assert "numbered from 40001" in seat.seen
        await seat.press("escape")
        await seat.until_screen("LabScreen")
        del host.lab.settings["meter1"]["baud_rate"]
        await seat.press("up", "enter")
        await seat.until_screen("Ask")
        await seat.press("enter")
        await seat.until(lambda: "there is no setting 'baud_rate'." in seat.notices)


@pytest.mark.parametrize("size", SIZES)
async def test_host_goes_away_and_comes_back(host: FakeHost, sit: Sit, size: tuple[int, int]) -> None:
    """While the host is gone a banner says so and every key still works; when it is back, all goes on by itself."""
    async with sit(host, size=size) as seat:
        await host.push(entry(1, "You read before."))
        await seat.press("3")
        await seat.until(lambda: "You read before." in seat.seen)
        await host.vanish()
        await seat.until(lambda: "The lab does not answer; retrying." in seat.seen)
        await seat.press("c", "C", "1", "2", "3")
        await seat.until(lambda: "does not answer" in seat.notices)
        await host.return_()
        await seat.until(lambda: "does not answer; retrying" not in seat.seen)
        await host.push(entry(2, "You read after."))
        await seat.until(lambda: "You read after." in seat.seen)
        await seat.press("c")
        await seat.until(lambda: seat.lab.outcomes)


@pytest.mark.parametrize("size", SIZES)
async def test_a_lab_that_has_to_wait_says_why(host: FakeHost, sit: Sit, size: tuple[int, int]) -> None:
    """What keeps the lab itself from going on, and what to do, stands below the header until it is over."""
    async with sit(host, size=size) as seat:
        host.lab.state, host.lab.trouble = (
            "paused",
            "The plant is paused: e0001.jsonl could not be written [full]. Free space.",
        )
        await seat.until(lambda: "could not be written [full]" in seat.seen)
        await seat.press("1", "2", "3")
        assert "paused" in seat.seen
        host.lab.state, host.lab.trouble = "running", None
        await seat.until(lambda: "could not be written" not in seat.seen)


async def test_host_started_again_elsewhere_is_found(host: FakeHost, sit: Sit, tmp_path: Path) -> None:
    """A host that comes back on the same attempt at another address is found by its control.json."""
    host.lab.attempt = str(tmp_path)
    async with sit(host) as seat, FakeHost() as other:
        other.lab.attempt, other.lab.answers = str(tmp_path), {"orders": "CDAB"}
        (tmp_path / "control.json").write_text(json.dumps({"url": other.url, "pid": 1}))
        await host.vanish()
        await seat.until(lambda: "you answered CDAB" in seat.seen)
        await other.push(entry(1, "You read elsewhere."))
        await seat.press("3")
        await seat.until(lambda: "You read elsewhere." in seat.seen)
    await host.return_()


@pytest.mark.parametrize("answer", ["<html>", '{"scenario": {"id": "x"}}'])
async def test_nonsense_from_the_host_is_survived(host: FakeHost, sit: Sit, answer: str) -> None:
    """Whatever the host answers to whatever key, the app goes on."""
    async with sit(host) as seat:
        await host.push("{", "[]", '{"seq": 3, "text": {"en": 5}}', entry(4, w=-(10**30), t=-1e300, level="odd"))
        for path in ("lab", "check", "manual", "hint", "answer"):
            host.broken[path] = answer
        await seat.press("C", "down", "3", "4", "d", "2", "y", "t", "c", "l")
        seen = len(host.asked)
        await seat.until(lambda: len(host.asked) > seen + 3)
        host.broken.clear()
        await seat.until(lambda: "does not answer" not in seat.seen and len(seat.lab.lab.tasks) == 5)


async def test_the_narrow_screen_has_a_drawer(host: FakeHost, sit: Sit) -> None:
    """At 80x24 the tabs are the screen; t opens the tasks over them and closes them again."""
    async with sit(host, size=(80, 24)) as seat:
        assert "1 Brief" in seat.seen
        tasks = seat.screen.query_one(Tasks)
        await seat.until(lambda: not tasks.is_on_screen)
        await seat.press("t")
        assert tasks.has_focus
        assert "not checked yet" in seat.seen
        await seat.press("down", "c", "t")
        await seat.until(lambda: seat.lab.outcomes)
        assert not seat.screen.has_class("-drawer")


async def test_mouse_reaches_what_keys_reach(host: FakeHost, sit: Sit) -> None:
    """Tabs, tasks, rows of the wire and the keys of the last line can be clicked."""
    async with sit(host) as seat:
        await host.push(entry(1, "You read something."))
        await seat.pilot.click("#tabs ContentTab#--content-tab-wire")
        await seat.until(lambda: seat.screen.query_one(TabbedContent).active == "wire" and "something" in seat.seen)
        await seat.pilot.click(Wire, offset=(30, 0))
        await seat.pilot.click(Wire, offset=(30, 0))
        await seat.until_screen("Sheet")
        await seat.press("escape")
        await seat.pilot.click("#tasks", offset=(10, 5))
        assert seat.screen.query_one(Tasks).selected.id == "orders"
        bar = next(line for line in seat.seen.split("\n") if "check all" in line)
        await seat.pilot.click("KeyBar", offset=(bar.index("check all") + 1, 0))
        await seat.until(lambda: len(seat.lab.outcomes) == 5)
