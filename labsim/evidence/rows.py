"""Records in the order of the journal: by what they are about, and with what is counted of them as columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from labsim.evidence.event import Record


class Rows(list[Record]):
    """A list of records that many look at and nobody changes: whatever is made of it is made once, when it is asked for."""

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Plant nanoseconds of each."""
        return self._column("t")

    @cached_property
    def statuses(self) -> NDArray[np.int64]:
        """The protocol's own code of each, 0 good."""
        return self._column("status")

    @cached_property
    def good(self) -> Rows:
        """Those with status 0."""
        return Rows(r for r in self if r.status == 0)

    @cached_property
    def by_protocol(self) -> dict[str, Rows]:
        """Those of each protocol."""
        return self._split("protocol")

    @cached_property
    def by_kind(self) -> dict[str, Rows]:
        """Those of each kind."""
        return self._split("kind")

    @cached_property
    def by_device(self) -> dict[str, Rows]:
        """Those of each device."""
        return self._split("device")

    @cached_property
    def by_subject(self) -> dict[str, Rows]:
        """Those of each subject."""
        return self._split("subject")

    def _column(self, name: str) -> NDArray[np.int64]:
        column = np.fromiter(map(attrgetter(name), self), np.int64, len(self))
        column.flags.writeable = False
        return column

    def _split(self, name: str) -> dict[str, Rows]:
        """All parts in one pass, because where one is asked for others are too."""
        parts: defaultdict[str, Rows] = defaultdict(Rows)
        for which, record in zip(map(attrgetter(name), self), self, strict=True):
            parts[which].append(record)
        return dict(parts)


def merged(parts: Iterable[Rows]) -> Rows:
    """The records of several lists, none of them in two, in the order of the journal."""
    some = [rows for rows in parts if rows]
    return some[0] if len(some) == 1 else Rows(sorted(chain.from_iterable(some), key=attrgetter("seq")))
