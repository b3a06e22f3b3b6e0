"""No key, and no run of keys, ends the app."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from fake_host import FakeHost, entry
from textual.binding import Binding

Sit = Callable[..., Any]
SPECIAL = ["enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"]
OTHERS = ["space", "backspace", "delete", "ctrl+p", "f1", "ctrl+a", "ctrl+u"]
SIGNS = ["question_mark", "slash", "full_stop", "comma", "left_square_bracket", "C", "minus"]


@pytest.mark.parametrize(("size", "seed"), [((120, 40), 1), ((40, 10), 3)])
async def test_random_keys_are_survived(host: FakeHost, sit: Sit, size: tuple[int, int], seed: int) -> None:
    """A cat on the keyboard meets every screen and dialog and never a traceback."""
    draw = random.Random(seed)
    keys = [*SPECIAL * 2, *OTHERS, *SIGNS, *"abcdefhijklmnopqrstuvwxyz0123456789"]
    async with sit(host, size=size, attached=False) as seat:
        seat.app.exit = lambda *_args, **_options: None
        for n in range(25):
            await host.push(entry(n + 1, f"You read {n % 5}.", level=draw.choice(["info", "error", "write"])))
            await seat.press(*draw.choices(keys, k=5))
        assert seat.app.is_running


async def test_every_binding_of_the_lab_works(host: FakeHost, sit: Sit) -> None:
    """Each key that any tab offers can be pressed, and Escape comes back from whatever it opened."""
    async with sit(host) as seat:
        await host.push(entry(1))
        pressed: set[Any] = {"ctrl+q", "ctrl+c", "super+c"}
        for tab in "12345t":
            await seat.press(tab)
            for key, offered in list(seat.screen.active_bindings.items()):
                if key not in pressed and (offered.node, key) not in pressed:
                    pressed.add((offered.node, key))
                    await seat.press(key)
                    await seat.press("escape")
                    await seat.until_screen("LabScreen")
        assert seat.app.is_running


async def test_every_shown_key_has_words(host: FakeHost, sit: Sit) -> None:
    """No key of the last line is left without a sentence of ours."""
    async with sit(host) as seat:
        for tab in "12345t":
            await seat.press(tab)
            shown: list[Binding] = [b.binding for b in seat.screen.active_bindings.values() if b.binding.show]
            assert all(b.description.startswith("key.") for b in shown)
