"""The tabs of the lab screen."""

from __future__ import annotations

from textual.widgets import TabbedContent, TabPane


class Pages(TabbedContent):
    """Tabs that only a person turns: a focus that arrives late, after the next tab was chosen, does not turn them back."""

    def on_tab_pane_focused(self, event: TabPane.Focused) -> None:
        """Keep the tab that is open."""
        event.stop()
        event.prevent_default()
