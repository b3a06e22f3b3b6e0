"""A window for the parameters of a fault: how large, how long, and whether the trainee is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Static

from labsim.client.records import FaultInfo, ParameterInfo
from labsim.tui.words import say
from labsim.tui.wrap import clean

_FAR = 1e9
"""A range that goes so far is no help to anybody."""


class FaultForm(ModalScreen[dict[str, Any] | None]):
    """One line per parameter; gives those that were filled in, with ``for`` and ``hidden``, or None.

    Args:
        target: What fails.
        fault: How.
        given: What was filled in before.
        lang: Language of the window.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "key.back"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, target: str, fault: FaultInfo, given: Mapping[str, Any], lang: str) -> None:
        super().__init__()
        self._target, self._fault, self._given, self._lang = target, fault, given, lang

    def compose(self) -> ComposeResult:
        """What it is, a line per parameter, how long, whether it is hidden."""
        with Vertical(classes="dialog form"):
            head = f"{self._target}: {self._fault.title or self._fault.fault}"
            yield Static(Content.styled(clean(head), "bold"), classes="question")
            yield Static(Content.styled(clean(self._fault.about), "$soft"), classes="question")
            with VerticalScroll(can_focus=False):
                for name, one in self._fault.parameters.items():
                    yield Static(Content(clean(one.title or name)), classes="label")
                    yield Input(str(self._given.get(name, "")), placeholder=self._usual(one), name=name)
                yield Static(Content(say("fault.for", self._lang)), classes="label")
                yield Input(str(self._given.get("for", "")), placeholder=say("fault.for-usual", self._lang), name="for")
                yield Checkbox(say("fault.hidden", self._lang), bool(self._given.get("hidden")))
                yield Button(say("fault.begin", self._lang), compact=True)
            yield Static(Content(say("fault.keys", self._lang)), classes="note")

    def _usual(self, one: ParameterInfo) -> str:
        """What a parameter is when nothing is filled in, and what it may be."""
        unit = f" {clean(one.unit)}" if one.unit else ""
        if one.of == "tag":
            return say("fault.a-tag", self._lang)
        known = [] if one.default is None else [f"{one.default:.6g}{unit}"]
        if one.range is not None and max(map(abs, one.range)) < _FAR:
            known.append(f"{one.range[0]:.6g} … {one.range[1]:.6g}{unit}")
        return " · ".join(known) or unit.strip()

    def on_input_submitted(self) -> None:
        """Enter on a line begins it."""
        self._give()

    def on_button_pressed(self) -> None:
        """So does the button."""
        self._give()

    def _give(self) -> None:
        lines = {line.name: line.value.strip() for line in self.query(Input) if line.name}
        given: dict[str, Any] = {name: text for name, text in lines.items() if text}
        self.dismiss(given | {"hidden": self.query_one(Checkbox).value})
