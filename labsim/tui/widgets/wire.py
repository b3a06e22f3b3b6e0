"""The wire: everything clients did, live and in plain words, with the coach's advice below what it is about."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.strip import Strip
from textual.visual import Visual

from labsim.client.records import FeedEntry
from labsim.tui.messages import ShowEntry
from labsim.tui.widgets.wirelog import FILTERS, LEVELS, Filter, Line, Row, WireLog, lines, wall
from labsim.tui.words import say
from labsim.tui.wrap import wrap

_LEAD = 20
_COUNT = 6


class Wire(ScrollView, can_focus=True):
    """Draws only the lines in sight, so that hundreds of entries a second stay cheap."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("enter", "detail", "key.detail"),
        Binding("end", "follow", "key.follow"),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.log_ = WireLog()
        self.filter: Filter = "all"
        self.following = True
        self._lang = "en"
        self._rows: list[Row] = []
        self._lines: list[Line] = []
        self._starts: list[int] = []
        self._cursor: Row | None = None

    # ---- what it is told ----

    def add(self, entries: Iterable[FeedEntry]) -> None:
        """Take entries of the feed in."""
        self.log_.add(entries)
        self._lay()

    def show(self, lang: str) -> None:
        """Speak another language."""
        self._lang = lang
        self._lay()

    def next_filter(self) -> None:
        """All, errors, writes, all."""
        self.choose(FILTERS[(FILTERS.index(self.filter) + 1) % len(FILTERS)])

    def choose(self, which: Filter) -> None:
        """Show only the rows of a filter."""
        self.filter, self._cursor, self.following = which, None, True
        self._lay()

    # ---- lines ----

    def _lay(self) -> None:
        width = self.scrollable_content_region.width - _LEAD - _COUNT
        if width < 8:
            return
        self._rows = list(self.log_.chosen(self.filter))
        broken = [lines(row, self._lang, width) for row in self._rows]
        self._starts = [0, *accumulate(map(len, broken))]
        self._lines = [line for block in broken for line in block]
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self.border_subtitle = self._legend()
        if self.following:
            self.scroll_end(animate=False, force=True, immediate=True)
        self.refresh()

    def _legend(self) -> str:
        chosen = say(f"wire.{self.filter}", self._lang)
        return f" f: {chosen} · {say('wire.following' if self.following else 'wire.held', self._lang)} "

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width, base = self.scrollable_content_region.width, self.rich_style
        if not self._lines:
            hint = wrap(say("wire.empty", self._lang), width - 4)
            text = Content.styled("  " + hint[y - 1], "$dim") if 0 < y <= len(hint) else Content("")
            return self._strip(text, width)
        at = y + self.scroll_offset.y
        if at >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[at]
        return self._strip(self._content(line, width), width, picked=line.row is self._cursor)

    def _strip(self, text: Content, width: int, *, picked: bool = False) -> Strip:
        text = text.pad_right(max(0, width - text.cell_length))
        if picked:
            text = text.stylize_before("on $block-cursor-background")
        strips = Visual.to_strips(self, text, width, 1, self.visual_style)
        return strips[0] if strips else Strip.blank(width, self.rich_style)

    def _content(self, line: Line, width: int) -> Content:
        entry, row = line.row.entry, line.row
        sign, colour = LEVELS.get(entry.level, LEVELS["info"])
        if line.kind == "advice":
            return Content.assemble(" " * _LEAD, ("│ ", "$warning"), (line.text, "$soft"))
        if line.kind == "text":
            return Content.assemble(" " * _LEAD, (line.text, "$error" if entry.level == "error" else ""))
        protocol = entry.protocol[:7]
        count = f"×{row.count}" if row.count > 1 else ""
        gap = " " * max(1, width - _LEAD - cell_len(line.text) - len(count) - 1)
        return Content.assemble(
            (f" {wall(entry)} ", "$dim"),
            (f"{sign} ", colour),
            (f"{protocol:<8}", "$secondary"),
            (line.text, "$error" if entry.level == "error" else ""),
            gap,
            (count, "bold"),
        )

    # ---- what people do ----

    def on_resize(self, _event: events.Resize) -> None:
        """Lines are broken for the width there is."""
        self._lay()

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    @on(ScrollTo)
    @on(ScrollUp)
    @on(ScrollDown)
    def _scrolled(self) -> None:
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """Scrolling away from the end holds the view; scrolling back to it follows again."""
        self.following = self.scroll_target_y >= self.max_scroll_y
        self.border_subtitle = self._legend()

    def action_move(self, steps: int) -> None:
        """Move the cursor by rows."""
        if not self._rows:
            return
        at = self._place() if self._cursor is not None else len(self._rows) - (steps > 0)
        at = min(max(at + steps, 0), len(self._rows) - 1)
        self._cursor, self.following = self._rows[at], False
        top, height = self._starts[at], self._starts[at + 1] - self._starts[at]
        self.scroll_to_region(Region(0, top, 1, height), animate=False)
        self.border_subtitle = self._legend()
        self.refresh()

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self._cursor, self.following = None, True
        self._lay()

    def action_detail(self) -> None:
        """Show everything about the row under the cursor, or the last one."""
        row = self._cursor or (self._rows[-1] if self._rows else None)
        if row is not None:
            self.post_message(ShowEntry(row.entry))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; a second click shows it."""
        offset = event.get_content_offset(self)
        at = None if offset is None else offset.y + self.scroll_offset.y
        if at is None or at >= len(self._lines):
            return
        row = self._rows[bisect_right(self._starts, at) - 1]
        if row is self._cursor:
            self.action_detail()
        self._cursor, self.following = row, False
        self.border_subtitle = self._legend()
        self.refresh()

    def _place(self) -> int:
        return next((n for n, row in enumerate(self._rows) if row is self._cursor), len(self._rows) - 1)
