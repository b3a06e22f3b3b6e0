"""The FIFO queues of a device: function 24 (Modbus Application Protocol V1.1b3 §6.18)."""

from __future__ import annotations

import struct
from collections import deque

from labsim.endpoints.modbus.coding import Coding, Raw
from labsim.plant.register_spec import QueueSpec
from labsim.plant.tags import Tag, TagStore, Value


class Queue:
    """The latest changes of one tag, oldest first; reading does not empty it, a new change pushes out the oldest."""

    def __init__(self, spec: QueueSpec, tag: Tag, store: TagStore) -> None:
        self._coding = Coding(spec.type, scale=spec.scale)
        self._tag, self._store = tag, store
        self._raws: deque[Raw] = deque(maxlen=spec.length)
        self._seen = self._state()

    def tick(self) -> None:
        """Look whether the tag has changed; called after every step of the plant."""
        state = self._state()
        if state != self._seen:
            self._seen = state
            self._raws.append(self._coding.present(state[1]))

    def _state(self) -> tuple[int, Value]:
        """When the tag changed, and to what: a change before the first step has the time of the start."""
        return int(self._store.source_time[self._tag.row]), self._store.read(self._tag.row)

    def response(self) -> bytes:
        """The response PDU: byte count, number of registers, registers."""
        count = len(self._raws)
        return struct.pack(f">BHH{count}{self._coding.format}", 24, 2 + 2 * count, count, *self._raws)
