"""What widgets ask of the screen that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.message import Message

from labsim.client.records import FeedEntry


@dataclass
class Copy(Message):
    """Put ``text`` on the clipboard."""

    text: str


@dataclass
class OpenSheet(Message):
    """Show the datasheet of a device type."""

    type: str


@dataclass
class ChangeSetting(Message):
    """Ask for a new value of a device's setting."""

    device: str
    setting: str
    value: Any


@dataclass
class ShowEntry(Message):
    """Show everything about one entry of the feed."""

    entry: FeedEntry
