"""Where everything listens: addresses, unit ids and accounts, each cell ready to be copied."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from rich.text import Text as Cell
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from labsim.client.records import ClientInfo, Lab, UserInfo
from labsim.tui.messages import Copy
from labsim.tui.words import say
from labsim.tui.wrap import clean

_COLUMNS = ("device", "url", "unit", "user", "password", "role")
_NOBODY = UserInfo("")


class Cells(DataTable[Cell]):
    """A table in which one click chooses a cell."""

    def on_click(self, event: events.Click) -> None:
        """Put the cursor below the mouse first, so that the table takes the click for a choice."""
        meta = event.style.meta
        if meta.get("row", -1) >= 0 and not meta.get("out_of_bounds"):
            self.move_cursor(row=meta["row"], column=meta["column"])


class Folder(Static, can_focus=True):
    """The hand-in folder; Enter, y or a click copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "copy", "key.copy", show=False)]

    path = ""

    def show(self, path: str, lang: str) -> None:
        """Draw the folder."""
        self.path = path
        self.update(Content.assemble((say("briefing.files", lang), "$dim"), " ", clean(path)))

    def copy(self) -> None:
        """Copy the path."""
        self.post_message(Copy(self.path))

    def action_copy(self) -> None:
        """The same, by key."""
        self.copy()

    def on_click(self) -> None:
        """The same, by mouse."""
        self.copy()


class Endpoints(Vertical):
    """A table of addresses and below it who is connected."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown: Any = None

    def compose(self) -> ComposeResult:
        """The table, what to do with it, who is there."""
        yield Cells(cursor_type="cell", zebra_stripes=False, cell_padding=1)
        yield Static(classes="note")
        yield Folder()
        yield Static(classes="clients")

    @property
    def table(self) -> DataTable[Cell]:
        """The table itself."""
        return self.query_one(DataTable)

    def show(self, lab: Lab, lang: str) -> None:
        """Draw addresses and clients."""
        state = (lab.endpoints, lang)
        if state != self._shown:
            self._shown = state
            self._fill(lab, lang)
        self.query_one(".note", Static).update(Content.styled(say("endpoints.help", lang), "$dim"))
        self.query_one(Folder).show(lab.handin, lang)
        lines = [Content.styled(say("endpoints.clients", lang), "bold")]
        lines += [_client(client) for client in lab.clients]
        if not lab.clients:
            lines.append(Content.styled(say("endpoints.nobody", lang), "$dim"))
        self.query_one(".clients", Static).update(Content("\n").join(lines))

    def _fill(self, lab: Lab, lang: str) -> None:
        table, at = self.table, self.table.cursor_coordinate
        table.clear(columns=True)
        for column in _COLUMNS:
            table.add_column(Cell(say(f"endpoints.{column}", lang)), key=column)
        for address in lab.endpoints:
            unit = "" if address.unit is None else str(address.unit)
            for n, user in enumerate(address.users or [_NOBODY]):
                device = address.device or "–"
                row = (device if n == 0 else "", address.url, unit if n == 0 else "", *msgspec.structs.astuple(user))
                table.add_row(*(Cell(clean(text), "dim" if n and cell < 2 else "") for cell, text in enumerate(row)))
        table.move_cursor(row=at.row, column=at.column or 1, scroll=False)

    def copy(self) -> None:
        """Copy what has the focus: the hand-in folder, or the cell under the cursor; of an empty cell the row's address."""
        table, folder = self.table, self.query_one(Folder)
        if folder.has_focus:
            folder.copy()
        elif table.row_count:
            at = table.cursor_coordinate
            text = table.get_cell_at(at).plain
            self.post_message(Copy(text if text not in ("", "–") else table.get_cell_at(Coordinate(at.row, 1)).plain))

    def on_data_table_cell_selected(self, event: DataTable.CellSelected) -> None:
        """Enter or a click copies."""
        event.stop()
        self.copy()


def _client(client: ClientInfo) -> Content:
    name, peer = clean(client.app or "–"), clean(client.client)
    return Content.assemble(("● ", "$success"), f"{clean(client.protocol):<8}", name, "  ", (peer, "$dim"))
