"""The tasks of a running lab: what was asked for and answered, in this and earlier epochs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labsim.errors import AttemptError, InputError, UnknownNameError
from labsim.evidence.event import Event
from labsim.lab.note import Note
from labsim.scenario.marking import Mode
from labsim.scenario.model import Task

_KINDS = ("hint", "answer")


class Tasks:
    """The tasks of one lab, with the hints that were opened and the answers that were given.

    Args:
        tasks: As the scenario has them.
        mode: In an exam there are no hints.
        earlier: What was kept before this host.
        note: Keeps the events.
    """

    def __init__(self, tasks: Iterable[Task], mode: Mode, earlier: Iterable[Event], note: Note) -> None:
        self._tasks, self._mode, self._note = {task.id: task for task in tasks}, mode, note
        self._kept: list[Event] = []
        for event in earlier:
            self.see(event)

    def see(self, event: Event) -> None:
        """Take in an event that was kept."""
        if event.kind in _KINDS:
            self._kept.append(event)

    def __getitem__(self, name: str) -> Task:
        """The task called ``name``.

        Raises:
            UnknownNameError: there is none.
        """
        if name not in self._tasks:
            raise UnknownNameError("task", name, self._tasks)
        return self._tasks[name]

    def opened(self, name: str) -> int:
        """How many hints of a task were opened so far."""
        return sum(event.kind == "hint" and event.detail["task"] == name for event in self._kept)

    def answered(self, name: str) -> Any:
        """The last answer to a task, None when there is none."""
        given = [event for event in self._kept if event.kind == "answer" and event.detail["task"] == name]
        return given[-1].values[0] if given else None

    def hint(self, name: str, lang: str) -> dict[str, Any]:
        """Open the next hint of a task; its cost is journalled first.

        Raises:
            UnknownNameError: there is no such task.
            AttemptError: there is no hint, or no further one.
        """
        task, opened = self[name], self.opened(name)
        if self._mode == "exam":
            raise AttemptError("there are no hints in an exam.")
        if opened >= len(task.hints):
            raise AttemptError(f"there is no further hint for {name!r}.")
        hint = task.hints[opened]
        self._note("hint", detail={"task": name, "index": opened, "cost": hint.cost})
        return {"task": name, "text": hint.text.say(lang), "cost": hint.cost, "left": len(task.hints) - opened - 1}

    def answer(self, name: str, value: Any) -> dict[str, Any]:
        """Keep an answer to a task; the last one counts.

        Raises:
            UnknownNameError: there is no such task.
            InputError: it asks for no answer.
        """
        if self[name].answer is None:
            asked = [task.id for task in self._tasks.values() if task.answer is not None]
            raise InputError(f"task {name!r} asks for no answer. Tasks that do: {', '.join(asked) or 'none'}.")
        self._note("answer", detail={"task": name}, values=[value])
        return {"task": name, "value": value}
