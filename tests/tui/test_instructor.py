"""An instructor lets things fail and freezes the plant, without leaving the lab screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_host import FakeHost
from textual.widgets import OptionList

Sit = Callable[..., Any]
SIZES = [(120, 40), (80, 24)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_fault_of_a_tag_is_begun(host: FakeHost, sit: Sit, size: tuple[int, int]) -> None:
    """X asks what, how, how much and for how long; what was filled in goes to the host, and nothing else."""
    async with sit(host, size=size) as seat:
        await seat.press("x")
        await seat.until_screen("Pick")
        listed = seat.screen.query_one(OptionList)
        order = ["meter1", "meter2", "meter3", "link.modbus", "meter1.voltage_l1"]
        assert [option.id for option in listed.options] == order
        await seat.press(*"volt", "enter")
        await seat.until(lambda: "What happens to meter1.voltage_l1?" in seat.seen)
        await seat.press("down", "enter")
        await seat.until_screen("FaultForm")
        for part in ("meter1.voltage_l1: drift", "The value moves away.", "Change per hour", "2 V · -100 … 100 V"):
            assert part in seat.seen
        await seat.press(*"5", "down", *"90 s", "down", "space", "down", "enter")
        await seat.until_screen("LabScreen")
        told = {"target": "meter1.voltage_l1", "fault": "drift", "rate": "5", "for": "90 s", "hidden": True}
        assert host.lab.wrong == [told]
        await seat.until(lambda: "meter1.voltage_l1: drift has begun" in seat.notices)


async def test_what_the_host_refuses_can_be_mended(host: FakeHost, sit: Sit) -> None:
    """A refusal is shown in the host's words, and the form comes back as it was filled in; Escape gives up."""
    async with sit(host) as seat:
        await seat.press("x")
        await seat.until_screen("Pick")
        await seat.press(*"volt", "enter")
        await seat.until(lambda: "What happens" in seat.seen)
        await seat.press("down", "enter")
        await seat.until_screen("FaultForm")
        await seat.press(*"much", "enter")
        await seat.until(lambda: "'much' is not a number" in seat.notices)
        await seat.until_screen("FaultForm")
        assert "much" in seat.seen
        await seat.press("escape")
        await seat.until_screen("LabScreen")
        assert host.lab.wrong == []


async def test_faults_of_a_target_are_ended(host: FakeHost, sit: Sit) -> None:
    """The first choice for a target ends what is wrong with it."""
    async with sit(host) as seat:
        await seat.press("x")
        await seat.until_screen("Pick")
        await seat.press(*"meter2", "enter")
        await seat.until(lambda: "What happens to meter2?" in seat.seen)
        await seat.press("enter")
        await seat.until(lambda: "meter2: faults ended: 1" in seat.notices)
        assert host.lab.wrong == [{"target": "meter2", "fault": "good"}]


@pytest.mark.parametrize("size", SIZES)
async def test_the_plant_is_frozen_and_goes_on(host: FakeHost, sit: Sit, size: tuple[int, int]) -> None:
    """P pauses, the header says so, and the same key resumes."""
    async with sit(host, size=size) as seat:
        assert ("x fault  p pause" in seat.seen) == (size[0] == 120)
        await seat.press("p")
        await seat.until(lambda: "‖ paused" in seat.seen)
        assert host.lab.state == "paused"
        await seat.until(lambda: not seat.lab.check_action("pause", ()))
        await seat.press("p")
        await seat.until(lambda: "● running" in seat.seen)
        assert host.lab.state == "running"


async def test_an_exam_has_no_such_keys(host: FakeHost, sit: Sit) -> None:
    """In an exam neither the keys nor the commands are there, and pressing them asks the host for nothing."""
    host.lab.mode = "exam"
    async with sit(host) as seat:
        await seat.press("x", "p")
        await seat.press("question_mark")
        await seat.until_screen("Sheet")
        assert "hint" in seat.seen
        assert "pause" not in seat.seen
        assert "fault" not in seat.seen
    assert not {"fault", "faults", "pause"} & {path for _, path, _ in host.asked}
