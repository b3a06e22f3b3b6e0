"""What a person does in a lab: each asks what it has to ask, sends one request, and shows what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from labsim.client.records import FeedEntry, TaskInfo
from labsim.text import Text
from labsim.tui.messages import ChangeSetting
from labsim.tui.screens.dialogs import Ask, Choice, Sheet
from labsim.tui.widgets.clock import clock
from labsim.tui.widgets.outcome import fact, grade, number
from labsim.tui.widgets.tasks import Tasks
from labsim.tui.widgets.wirelog import wall

if TYPE_CHECKING:
    from labsim.tui.screens.lab import LabScreen


def check(screen: LabScreen, task: str | None, *, quiet: bool = False) -> None:
    """Mark one task or all so far, unfold what did not pass."""

    async def act() -> None:
        tasks = screen.query_one(Tasks)
        if not quiet:
            tasks.border_subtitle = screen.say("checking")
        verdict = await screen.attempt(screen.client.check(task, screen.lang))
        tasks.border_subtitle = ""
        if verdict is None:
            return
        screen.learn(verdict)
        screen.draw()
        if quiet:
            return
        for outcome in verdict.tasks:
            if grade(outcome) not in ("passed", "not_checked"):
                tasks.open(outcome.id)
        if task is None:
            score, whole = screen.score
            screen.notify(screen.say("check.all", score=number(score), max=number(whole)))
        for outcome in verdict.tasks if task is not None else ():
            name = outcome.title or next((t.title for t in screen.lab.tasks if t.id == outcome.id), outcome.id)
            facts = {"score": number(outcome.score), "max": number(outcome.max)}
            word = screen.say(f"outcome.{grade(outcome)}")
            screen.notify(screen.say("check.done", title=name, outcome=word, **facts), markup=False)

    screen.beside(act, "check")


def hint(screen: LabScreen, task: TaskInfo | None) -> None:
    """Open the next hint, after saying what it costs."""

    async def act() -> None:
        if task is None:
            screen.notify(screen.say("task.none"))
            return
        if task.hints.next_cost is None:
            screen.notify(screen.say("hints.all" if task.hints.total else "hints.none"))
            return
        question = screen.say(
            "hints.ask", title=task.title or task.id, cost=number(task.hints.next_cost), marks=number(task.marks)
        )
        options = [("open", screen.say("hints.open")), ("no", screen.say("hints.cancel"))]
        if await screen.app.push_screen_wait(Choice(question, options, screen.lang)) == "open":
            opened = await screen.attempt(screen.client.hint(task.id, screen.lang))
            if opened is not None:
                screen.notify(opened.text, title=screen.say("hints.title"), timeout=10, markup=False)
                screen.attachment.wake()

    screen.beside(act, "dialog")


def answer(screen: LabScreen, task: TaskInfo | None) -> None:
    """Answer the question of a task."""

    async def act() -> None:
        if task is None or not task.answer:
            screen.notify(screen.say("task.none" if task is None else "task.no-answer"))
            return
        before = "" if task.answered is None else fact(task.answered)
        value = await screen.app.push_screen_wait(Ask(task.answer, before, screen.lang))
        if value is not None:
            kept = await screen.attempt(screen.client.answer(task.id, value))
            if kept is not None:
                screen.notify(screen.say("answer.sent", value=fact(kept)), markup=False)
                screen.attachment.wake()

    screen.beside(act, "dialog")


def setting(screen: LabScreen, asked: ChangeSetting) -> None:
    """Change a setting of a device."""

    async def act() -> None:
        question = screen.say("devices.ask", device=asked.device, setting=asked.setting)
        value = await screen.app.push_screen_wait(Ask(question, fact(asked.value), screen.lang))
        if value is not None:
            kept = await screen.attempt(screen.client.device(asked.device, asked.setting, value))
            if kept is not None:
                facts = {"device": asked.device, "setting": asked.setting, "value": fact(kept)}
                screen.notify(screen.say("devices.set", **facts), markup=False)
                screen.attachment.wake()

    screen.beside(act, "dialog")


def sheet(screen: LabScreen, type_: str) -> None:
    """Show the datasheet of a device type."""

    async def act() -> None:
        page = await screen.attempt(screen.client.manual(type_, screen.lang))
        if page is not None:
            await screen.app.push_screen_wait(Sheet(type_, page, screen.lang))

    screen.beside(act, "dialog")


def entry(screen: LabScreen, shown: FeedEntry) -> None:
    """Show an entry of the wire with everything the host said of it."""

    async def act() -> None:
        head = f"{wall(shown)} · {screen.say('wire.plant')} {clock(max(shown.t, 0))}"
        peer = " · ".join(part for part in (shown.protocol, shown.kind, shown.client, shown.device) if part)
        parts = [head, peer, Text(shown.text).say(screen.lang)]
        if shown.advice:
            parts.append("> " + Text(shown.advice).say(screen.lang))
        parts.append("```json\n" + json.dumps(shown.detail, indent=2, ensure_ascii=False) + "\n```")
        title = screen.say("wire.entry", seq=shown.seq)
        await screen.app.push_screen_wait(Sheet(title, "\n\n".join(parts), screen.lang))

    screen.beside(act, "dialog")


def leave(screen: LabScreen) -> None:
    """Leave the lab running, or stop it and read the verdict."""

    async def act() -> None:
        options = [(name, screen.say(f"leave.{name}")) for name in ("stay", "run", "stop")]
        chosen = await screen.app.push_screen_wait(Choice(screen.say("leave.ask"), options, screen.lang))
        if chosen == "run":
            screen.app.exit(0)
        elif chosen == "stop":
            screen.notify(screen.say("leave.grading"))
            verdict = await screen.attempt(screen.client.stop(screen.lang))
            if verdict is not None:
                screen.labsim.show_verdict(verdict)

    screen.beside(act, "dialog")
