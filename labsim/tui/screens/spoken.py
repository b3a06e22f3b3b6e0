"""The base of every screen: it speaks the language of the moment and can be told to speak another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual.screen import Screen, ScreenResultType

from labsim.errors import LabsimError
from labsim.tui.widgets.keybar import KeyBar
from labsim.tui.words import say

if TYPE_CHECKING:
    from labsim.tui.app import LabsimApp

_T = TypeVar("_T")


class SpokenScreen(Screen[ScreenResultType]):
    """A screen that draws its words in `speak`, once at first and again whenever the language changes."""

    @property
    def labsim(self) -> LabsimApp:
        """The app."""
        return cast("LabsimApp", self.app)

    @property
    def lang(self) -> str:
        """The language of the moment."""
        return self.labsim.lang

    def say(self, key: str, /, **facts: Any) -> str:
        """A sentence of the UI."""
        return say(key, self.lang, **facts)

    def on_mount(self) -> None:
        """Draw the words for the first time."""
        self.speak()

    def speak(self) -> None:
        """Draw every word of this screen."""
        for bar in self.query(KeyBar):
            bar.show(self.lang)

    @property
    def gone(self) -> bool:
        """Whether the screen is closing, so that what was asked for it has nowhere to be shown."""
        return not self.display

    def beside(self, act: Callable[[], Awaitable[None]], group: str) -> None:
        """Run ``act`` beside the screen, until it ends or the screen closes; a newer one of its group replaces it."""
        self.run_worker(act, exclusive=True, group=group)

    async def attempt(self, asked: Awaitable[_T]) -> _T | None:
        """What a request gives; a refusal is shown in its own words and gives None, and so does a screen that closed."""
        try:
            given = await asked
            return None if self.gone else given
        except LabsimError as error:
            self.notify(str(error), severity="error", timeout=8, markup=False)
            return None
