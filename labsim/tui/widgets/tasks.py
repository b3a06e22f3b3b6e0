"""The list of tasks with their outcomes; Enter or a click opens the checks of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from labsim.client.records import TaskInfo, TaskOutcome
from labsim.tui.widgets.outcome import task_block


class Tasks(OptionList):
    """Tasks of a lab; the highlighted one is what keys act on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "key.open")]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._tasks: list[TaskInfo] = []
        self._outcomes: dict[str, TaskOutcome] = {}
        self._opened: set[str] = set()
        self._lang = "en"
        self._shown: Any = None

    @property
    def selected(self) -> TaskInfo | None:
        """The task under the cursor."""
        at = self.highlighted
        return self._tasks[at] if at is not None and at < len(self._tasks) else None

    def show(self, tasks: Sequence[TaskInfo], outcomes: Mapping[str, TaskOutcome], lang: str) -> None:
        """Draw the tasks with what is known of them."""
        self._tasks, self._outcomes, self._lang = list(tasks), dict(outcomes), lang
        self._draw()

    def open(self, task: str) -> None:
        """Show the checks of a task."""
        self._opened.add(task)
        self._draw()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Fold or unfold the task that was chosen."""
        event.stop()
        self._opened ^= {self._tasks[event.option_index].id}
        self._draw()

    def on_resize(self, _event: Resize) -> None:
        """Lines are broken for the width there is."""
        self._draw()

    def _draw(self) -> None:
        width = self.scrollable_content_region.width - 2
        state = (self._tasks, self._outcomes, set(self._opened), self._lang, width)
        if width < 12 or state == self._shown:
            return
        self._shown = state
        blocks = [
            task_block(task, n, self._outcomes.get(task.id), self._lang, width, expanded=task.id in self._opened)
            for n, task in enumerate(self._tasks, 1)
        ]
        if len(blocks) == self.option_count:
            for n, block in enumerate(blocks):
                self.replace_option_prompt_at_index(n, block)
        else:
            self.set_options(Option(block) for block in blocks)
        if self.highlighted is None and blocks:
            self.highlighted = 0
