"""The recorder: samples the tag store into the attempt's history, what changed only.

Tags that a check looks at are sampled every step, all others once a second; the first sample of an epoch holds every tag, so
that an epoch can be read alone.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np

from labsim.evidence.attempt import Attempt
from labsim.plant.tags import TagStore

_OTHERS_EVERY = 10
"""Steps between samples of tags that no check looks at."""


class Recorder:
    """Writes the history of one plant: the tags the attempt was begun with (a live fault may add true values later).

    Args:
        store: The plant's tag store.
        attempt: Where the history goes.
        graded: Paths of the tags that checks look at.
    """

    def __init__(self, store: TagStore, attempt: Attempt, graded: AbstractSet[str]) -> None:
        self._store, self._attempt = store, attempt
        tags = store.tags[: len(attempt.tags)]
        self._graded = np.array([tag.path in graded for tag in tags], bool)
        self._texts = np.array([tag.type == "text" for tag in tags], bool)
        self._value = np.full(len(tags), np.nan)
        self._status = np.full(len(tags), 0xFFFFFFFF, np.uint32)

    def sample(self, step: int) -> None:
        """Record what changed since the last sample, as of ``step``.

        Raises:
            EvidenceError: it is not kept; the same sample can be taken again.
        """
        store, known = self._store, len(self._value)
        value, status = store.value[:known], store.status[:known]
        moved = (value != self._value) & ~(np.isnan(value) & np.isnan(self._value))
        moved |= status != self._status
        if step % _OTHERS_EVERY and (self._status != 0xFFFFFFFF).all():
            moved &= self._graded
        rows = np.flatnonzero(moved)
        if not len(rows):
            return
        texts = {int(row): str(store.read(int(row))) for row in rows[self._texts[rows]]}
        self._attempt.record(step, rows, store.value[rows], store.status[rows], texts)
        self._value[rows], self._status[rows] = store.value[rows], store.status[rows]  # now that it is kept
