"""Where everything listens: addresses, unit ids and accounts, each cell ready to be copied."""

from __future__ import annotations

from typing import Any

from rich.text import Text as Cell
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from labsim.client.records import ClientInfo, Lab, UserInfo
from labsim.tui.messages import Copy
from labsim.tui.words import say
from labsim.tui.wrap import clean

_COLUMNS = ("device", "protocol", "url", "unit", "user", "password", "role")
_NOBODY = UserInfo("")


class Endpoints(Vertical):
    """A table of addresses and below it who is connected."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown: Any = None

    def compose(self) -> ComposeResult:
        """The table, what to do with it, who is there."""
        yield DataTable[Cell](cursor_type="cell", zebra_stripes=False, cell_padding=1)
        yield Static(classes="note")
        yield Static(classes="clients")

    @property
    def table(self) -> DataTable[Cell]:
        """The table itself."""
        return self.query_one(DataTable)

    def show(self, lab: Lab, lang: str) -> None:
        """Draw addresses and clients."""
        state = (lab.endpoints, lab.handin, lang)
        if state != self._shown:
            self._shown = state
            self._fill(lab, lang)
        self.query_one(".note", Static).update(Content.styled(say("endpoints.help", lang), "$dim"))
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
            for n, user in enumerate(address.users or [_NOBODY]):
                first = n == 0
                unit = "" if address.unit is None else str(address.unit)
                where = (address.device or "–", address.protocol, address.url, unit)
                row = (*(where if first else ("", "", address.url, "")), user.name, user.password, user.role)
                table.add_row(*(Cell(clean(text), "" if first or n_ > 2 else "dim") for n_, text in enumerate(row)))
        if lab.handin:
            table.add_row(
                Cell(say("endpoints.files", lang)), Cell(say("endpoints.folder", lang)), Cell(clean(lab.handin)),
                *(Cell("") for _ in range(4)),
            )  # fmt: skip
        table.move_cursor(row=at.row, column=at.column or 2, scroll=False)

    def copy(self) -> None:
        """Copy the cell under the cursor, or the address of its row when the cell is empty."""
        table = self.table
        if not table.row_count:
            return
        row = table.cursor_coordinate.row
        text = table.get_cell_at(table.cursor_coordinate).plain
        self.post_message(Copy(text if text not in ("", "–") else table.get_cell_at(Coordinate(row, 2)).plain))

    def on_data_table_cell_selected(self, event: DataTable.CellSelected) -> None:
        """Enter or a click copies."""
        event.stop()
        self.copy()


def _client(client: ClientInfo) -> Content:
    name, peer = clean(client.app or "–"), clean(client.client)
    return Content.assemble(("● ", "$success"), f"{clean(client.protocol):<8}", name, "  ", (peer, "$dim"))
