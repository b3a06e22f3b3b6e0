"""Devices of the plant and what a trainee may set on them."""

from __future__ import annotations

from typing import Any

from rich.text import Text as Cell
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import DataTable, Static

from labsim.client.records import DeviceInfo, Lab
from labsim.tui.messages import ChangeSetting, OpenSheet
from labsim.tui.widgets.outcome import fact
from labsim.tui.words import say
from labsim.tui.wrap import clean


class Devices(Vertical):
    """One row per setting, led by the device it belongs to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown: Any = None
        self._rows: list[tuple[DeviceInfo, str | None]] = []

    def compose(self) -> ComposeResult:
        """The table and what to do with it."""
        yield DataTable[Cell](cursor_type="row", zebra_stripes=False, cell_padding=1)
        yield Static(classes="note")

    @property
    def table(self) -> DataTable[Cell]:
        """The table itself."""
        return self.query_one(DataTable)

    def show(self, lab: Lab, lang: str) -> None:
        """Draw devices and settings."""
        if (lab.devices, lang) == self._shown:
            return
        self._shown = (lab.devices, lang)
        at = self.table.cursor_row
        self.table.clear(columns=True)
        for column in ("device", "setting", "value"):
            self.table.add_column(Cell(say(f"devices.{column}", lang)), key=column)
        self._rows = []
        for device in lab.devices:
            name = Cell.assemble((clean(device.path), "bold"), "  ", (clean(device.title), "dim"))
            settings = list(device.settings.items())
            if not settings:
                self.table.add_row(name, Cell(say("devices.fixed", lang), "dim"), Cell(""))
                self._rows.append((device, None))
            for n, (setting, value) in enumerate(settings):
                kind = Cell(f"  {clean(device.type)}" if n == 1 else "", "dim")
                self.table.add_row(name if n == 0 else kind, Cell(clean(setting)), Cell(fact(value)))
                self._rows.append((device, setting))
        self.table.move_cursor(row=max(at, 0))
        note = "devices.help" if lab.devices else "devices.none"
        self.query_one(".note", Static).update(Content.styled(say(note, lang), "$dim"))

    def open_sheet(self) -> None:
        """Ask for the datasheet of the device under the cursor."""
        row = self.table.cursor_row
        if row < len(self._rows):
            self.post_message(OpenSheet(self._rows[row][0].type))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter or a click asks for another value."""
        event.stop()
        if event.cursor_row < len(self._rows):
            device, setting = self._rows[event.cursor_row]
            if setting is not None:
                self.post_message(ChangeSetting(device.path, setting, device.settings[setting]))
