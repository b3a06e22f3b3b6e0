"""The tag store as the OPC UA core sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.opcua.core import values
from labsim.endpoints.opcua.core.codec import EPOCH
from labsim.plant import status
from labsim.plant.plant import Plant
from labsim.plant.tags import TagType, Value

BUILTIN: dict[TagType, int] = {
    "bool": values.BOOLEAN, "i8": values.SBYTE, "u8": values.BYTE, "i16": values.INT16, "u16": values.UINT16,
    "i32": values.INT32, "u32": values.UINT32, "i64": values.INT64, "u64": values.UINT64, "f32": values.FLOAT,
    "f64": values.DOUBLE, "text": values.STRING,
}  # fmt: skip
"""The built-in type of each kind of tag."""


class LiveValues:
    """A view of a plant's tag store and clock: nothing is copied, a value is what it is when it is asked for."""

    def __init__(self, plant: Plant) -> None:
        self._store, self._clock = plant.store, plant.clock
        self._builtin = [BUILTIN[tag.type] for tag in plant.store]
        for device in plant.devices.values():
            spec = device.interface.opcua
            for name in spec.enumerations if spec is not None else ():
                self._builtin[device.tags[name].row] = values.INT32  # as every enumeration (OPC 10000-6 §5.2.4)

    @property
    def value(self) -> NDArray[np.float64]:
        """Value of every row."""
        return self._store.value

    @property
    def status(self) -> NDArray[np.uint32]:
        """StatusCode of every row."""
        return self._store.status

    @property
    def source_time(self) -> NDArray[np.int64]:
        """Plant time of each row's last change in ns."""
        return self._store.source_time

    @property
    def origin(self) -> int:
        """FILETIME of plant time 0."""
        return self._clock.utc_ns(0) // 100 + EPOCH

    @property
    def suspended(self) -> bool:
        """Whether the plant is paused."""
        return self._clock.paused

    def builtin(self, row: int) -> int:
        """The built-in type of a row."""
        return self._builtin[row]

    def read(self, row: int) -> Value:
        """The value in the tag's own type."""
        return self._store.read(row)

    def write(self, row: int, value: Any) -> int:
        """Write as a client; refused with BadInvalidState while the plant is paused."""
        if self._clock.paused:
            return status.BAD_INVALID_STATE
        if value is None:  # a null String is no text
            return status.BAD_TYPE_MISMATCH
        return self._store.write(row, value)

    def now(self) -> int:
        """FILETIME of the plant's time now."""
        return self._clock.utc_ns(self._clock.now_ns()) // 100 + EPOCH
