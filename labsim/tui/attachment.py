"""What keeps a screen attached to a running lab: it asks now and then, listens all the time, and comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from labsim.client.client import LabClient, find_control
from labsim.client.picture import Mimic
from labsim.client.records import FeedEntry, Lab
from labsim.errors import ControlError, LabsimError

ASK_S = 3.0
RETRY_S = 1.0
PICTURE_S = 1.0


class Attachment:
    """A lab seen through its client.

    Args:
        client: The client; moved to the new address when the host was started again on the same attempt.
        attempt: The attempt folder, where ``control.json`` says the address.
    """

    def __init__(self, client: LabClient, attempt: str) -> None:
        self.client, self._attempt = client, attempt
        self._wake = asyncio.Event()
        self._waiting: list[FeedEntry] = []

    def wake(self) -> None:
        """Ask again now: something changed."""
        self._wake.set()

    async def states(self, lang: str) -> AsyncIterator[Lab | ControlError]:
        """The lab every `ASK_S` and whenever woken; a `ControlError` for as long as it does not answer."""
        while True:
            self._wake.clear()
            state = await self._ask(lang)
            yield state
            await self._pause(RETRY_S if isinstance(state, ControlError) else ASK_S)

    async def pictures(self, lang: str) -> AsyncIterator[Mimic]:
        """The plant's picture every `PICTURE_S`; while the lab does not answer there is none."""
        while True:
            with contextlib.suppress(ControlError):  # `states` tells that the lab is away, and finds it again
                yield await self.client.mimic(lang)
            await asyncio.sleep(PICTURE_S)

    async def listen(self) -> None:
        """Gather the feed until cancelled; what the lab itself did also wakes `states`."""
        async for entry in self.client.feed(lost=lambda _error: self.wake()):
            self._waiting.append(entry)
            if entry.protocol == "lab":
                self.wake()

    def take(self) -> list[FeedEntry]:
        """Entries since the last time."""
        taken, self._waiting = self._waiting, []
        return taken

    async def _ask(self, lang: str) -> Lab | ControlError:
        try:
            return await self.client.lab(lang)
        except ControlError as error:
            self._follow()
            return error

    def _follow(self) -> None:
        """A host started again listens elsewhere; its attempt folder says where, when it is on this machine."""
        try:
            url = find_control(self._attempt) if self._attempt else self.client.url
        except LabsimError:
            return  # not here, or not yet: the old address is as good as any
        self.client.url = url

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
