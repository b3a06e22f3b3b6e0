"""The header of a lab: what it is, how long is left, marks so far, and how the plant runs."""

from __future__ import annotations

import time
from typing import Any

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from labsim.client.records import Lab
from labsim.tui.widgets.outcome import number
from labsim.tui.words import WORDS, say
from labsim.tui.wrap import clean

_STATES = {"running": ("●", "$success"), "paused": ("‖", "$warning"), "stopped": ("■", "$error")}


class LabHeader(Static):
    """One line; what does not fit is left out from the least needed on. Time goes on between two answers of the host."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._lab: Lab | None = None
        self._score: tuple[float, float] = (0, 0)
        self._lang = "en"
        self._heard = 0.0

    def on_mount(self) -> None:
        """Tick."""
        self.set_interval(0.5, self._draw)

    def on_resize(self) -> None:
        """Another width, another choice of parts."""
        self._draw()

    def show(self, lab: Lab, score: tuple[float, float], lang: str) -> None:
        """Draw a lab as the host just described it; ``score`` is marks so far and of all tasks."""
        self._lab, self._score, self._lang, self._heard = lab, score, lang, time.monotonic()
        self._draw()

    def _draw(self) -> None:
        lab, lang = self._lab, self._lang
        if lab is None or not self.size.width:
            return
        since = time.monotonic() - self._heard if lab.state == "running" else 0.0
        plant_s = lab.t + since * lab.speed
        left_s = lab.scenario.minutes * 60 - plant_s / (lab.speed or 1)
        dot, colour = _STATES.get(lab.state, ("●", "$dim"))
        state = say(f"state.{lab.state}", lang) if f"state.{lab.state}" in WORDS else clean(lab.state)
        left, bold = ("head.left", "bold") if left_s >= 0 else ("head.over", "bold $warning")
        marks = {"score": number(self._score[0]), "max": number(self._score[1])}
        parts = [  # in the order they are read; the highest number gives way first
            (0, say(left, lang, time=clock(abs(left_s))), bold),
            (3, say("head.plant", lang, time=clock(plant_s)), "$dim"),
            (1, say("head.marks", lang, **marks), "bold"),
            (4, say("head.seed", lang, seed=clean(str(lab.seed))), "$dim"),
            (2, f"{dot} {state} ×{lab.speed:g}", colour),
        ]
        if lab.late_steps:
            parts.append((5, say("head.late", lang, n=lab.late_steps), "$warning"))
        title = clean(lab.scenario.title or lab.scenario.id)
        room = self.size.width - 14 - min(cell_len(title), 24)
        while len(parts) > 2 and sum(cell_len(text) + 3 for _, text, _ in parts) > room:
            parts.remove(max(parts))
        right = Content("   ").join(Content.styled(text, style) for _, text, style in parts)
        name = Content.assemble((" labsim ", "bold $background on $primary"), "  ", (title, "bold"))
        space = max(0, self.size.width - right.cell_length - 2)
        name = name.truncate(space, ellipsis=True)
        self.update(Content.assemble(name, " " * (space + 1 - name.cell_length), right))


def clock(seconds: float) -> str:
    """Seconds as ``38:12`` or ``1:02:03``."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes:02d}:{whole % 60:02d}"
