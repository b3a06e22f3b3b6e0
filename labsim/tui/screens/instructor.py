"""What an instructor does in a lab: let something fail, end it, freeze the plant and let it go on."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from labsim.tui.screens.fault_form import FaultForm
from labsim.tui.screens.pick import Pick

if TYPE_CHECKING:
    from labsim.client.records import FaultInfo
    from labsim.tui.screens.lab import LabScreen

END = "good"


def freeze(screen: LabScreen, asked: Awaitable[str]) -> None:
    """Pause or resume, and say what the lab is then."""

    async def act() -> None:
        state = await screen.attempt(asked)
        if state is not None:
            screen.notify(screen.say(f"freeze.{state}"))
            screen.attachment.wake()

    screen.beside(act, "freeze")


def fault(screen: LabScreen) -> None:
    """Choose what fails, how, and for how long; or end what was begun."""

    async def act() -> None:
        targets = await screen.attempt(screen.client.targets())
        if targets is None:
            return
        titles = {device.path: device.title for device in screen.lab.devices}
        options = [(target, target, titles.get(target, "")) for target in sorted(targets, key=_rank)]
        target = await screen.app.push_screen_wait(Pick(screen.say("fault.target"), options, screen.lang))
        faults = None if target is None else await screen.attempt(screen.client.faults(target, screen.lang))
        if target is None or faults is None:
            return
        options = [
            (END, screen.say("fault.end"), ""),
            *((one.fault, one.title or one.fault, one.fault) for one in faults),
        ]
        question = screen.say("fault.which", target=target)
        chosen = await screen.app.push_screen_wait(Pick(question, options, screen.lang))
        if chosen == END:
            ended = await screen.attempt(screen.client.end_faults(target))
            if ended is not None:
                screen.notify(screen.say("fault.ended", n=ended, target=target), markup=False)
        elif chosen is not None:
            await _begin(screen, target, next(one for one in faults if one.fault == chosen))

    screen.beside(act, "dialog")


async def _begin(screen: LabScreen, target: str, one: FaultInfo) -> None:
    """Ask for the parameters until the host takes them or the person gives up."""
    given: dict[str, Any] | None = {}
    while True:
        given = await screen.app.push_screen_wait(FaultForm(target, one, given or {}, screen.lang))
        if given is None:
            return
        if await screen.attempt(_sent(screen, target, one.fault, given)):
            screen.notify(screen.say("fault.begun", target=target, fault=one.title or one.fault), markup=False)
            return


async def _sent(screen: LabScreen, target: str, fault_: str, given: dict[str, Any]) -> bool:
    await screen.client.begin_fault(target, fault_, given)
    return True


def _rank(target: str) -> int:
    """Devices come first, then links, endpoints and rogue clients, and then the many tags."""
    return ("." in target) + ("." in target and not target.startswith(("link.", "endpoint.", "rogue.")))
