"""What the core wants from the one who owns the live values."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Plain: TypeAlias = "bool | int | float | str"


class ValueStore(Protocol):
    """Columns of live values by row, and the clock their times belong to.

    A row's ``value`` column is its value as float64; for a text it is a number that changes with the text.
    """

    @property
    def value(self) -> NDArray[np.float64]:
        """Value of every row."""
        ...

    @property
    def status(self) -> NDArray[np.uint32]:
        """StatusCode of every row."""
        ...

    @property
    def source_time(self) -> NDArray[np.int64]:
        """When each row last changed, in ns since `origin`."""
        ...

    @property
    def origin(self) -> int:
        """FILETIME at which source time 0 stands."""
        ...

    @property
    def suspended(self) -> bool:
        """Whether the values stand still because somebody has stopped what makes them."""
        ...

    def builtin(self, row: int) -> int:
        """The built-in type of a row: Boolean to Double, or String."""
        ...

    def read(self, row: int) -> Plain:
        """The value in its own type."""
        ...

    def write(self, row: int, value: Any) -> int:
        """Write as a client; the StatusCode of the result. In effect at once when it is good."""
        ...

    def now(self) -> int:
        """FILETIME of the clock that source times belong to."""
        ...
