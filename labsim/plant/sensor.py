"""Sensor chains: what stands between a process value and the tag that shows it.

The stages and their order are those of a real measuring point: the sensor follows slowly (lag), is calibrated more or less well
(gain, offset), ages (drift), picks up noise, is digitised (resolution), ends at its limits (clip), travels as a current of 4 to
20 mA (NAMUR NE 43), and is polled now and then (hold, dropout). All chains of a plant are computed together, one numpy operation
per stage over all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from labsim.plant import status
from labsim.plant.clock import STEP_NS
from labsim.plant.generators import named_generator
from labsim.plant.spec import Number, Spec
from labsim.quantity import Duration

_BLOCK = 64
"""Steps for which random numbers are drawn at once."""
_UNDER, _OVER = (3.8 - 4) / 16, (20.5 - 4) / 16
"""Ends of the measuring signal of NE 43, as parts of the span of 4 to 20 mA."""
NO_CURRENT = -4 / 16
"""What 0 mA would be in the same measure."""


class Current(Spec):
    """A 4-20 mA loop: the values that 4 mA and 20 mA stand for."""

    low: Number
    high: Number

    @model_validator(mode="after")
    def _ordered(self) -> Current:
        if self.low == self.high:
            raise ValueError("4 mA and 20 mA stand for two values")
        return self


class SensorSpec(Spec):
    """The sensor chain of one tag; a stage that is not given does nothing. Values are in the tag's unit.

    Attributes:
        lag: Time constant of the first-order lag.
        gain: What the value is multiplied by, before ``offset`` is added.
        drift: Change of the offset per hour, from the start of the plant on.
        noise: Standard deviation of the noise of one step (100 ms).
        resolution: Size of one digit.
        clip: The lowest and the highest value it shows.
        current: The range of a 4-20 mA loop: the signal saturates at 3.8 and 20.5 mA (NAMUR NE 43).
        hold: How long a value stands before the next is taken.
        dropout: Part of the values that is lost: then the last one stands, with the status UncertainLastUsableValue.
    """

    lag: Duration = 0.0
    gain: Number = 1.0
    offset: Number = 0.0
    drift: Number = 0.0
    noise: Annotated[Number, Field(ge=0)] = 0.0
    resolution: Annotated[Number, Field(ge=0)] = 0.0
    clip: tuple[Number, Number] | None = None
    current: Current | None = None
    hold: Duration = 0.0
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> SensorSpec:
        if self.clip is not None and self.clip[0] >= self.clip[1]:
            raise ValueError("'clip' is the lowest value, then the highest")
        return self


def sensor_of(sensors: Mapping[str, SensorSpec], tag: str, given: Any) -> SensorSpec:
    """The chain of a tag with the stages that a scenario gives in place of the interface's; raises ValidationError."""
    if not isinstance(given, Mapping):
        return SensorSpec.model_validate(given)
    own = sensors[tag].model_dump(exclude_unset=True) if tag in sensors else {}
    return SensorSpec.model_validate({**own, **given})


class Chains:
    """The sensor chains of a plant, as columns.

    Args:
        specs: Chain by path of the tag.
        seed: With the path, what noise and dropouts of a tag are drawn from.
        first: The true values at the start, in the order of ``specs``.

    Attributes:
        lost: Which values of the last step are not new.
    """

    def __init__(self, specs: Mapping[str, SensorSpec], seed: int, first: NDArray[np.float64]) -> None:
        chains = list(specs.values())
        step_s = STEP_NS / 1e9
        lag = np.array([chain.lag for chain in chains])
        self._share = np.where(lag > 0, 1 - np.exp(-step_s / np.maximum(lag, 1e-9)), 1.0)
        self._gain = np.array([chain.gain for chain in chains])
        self._offset = np.array([chain.offset for chain in chains])
        self._drift = np.array([chain.drift / 3600 for chain in chains])
        self._noise = np.array([chain.noise for chain in chains])
        self._digit = np.array([chain.resolution for chain in chains])
        self._low, self._high = (np.array([_limits(chain)[end] for chain in chains]) for end in (0, 1))
        self._hold = np.array([max(round(chain.hold / step_s), 1) for chain in chains])
        self._dropout = np.array([chain.dropout for chain in chains])
        self._drawn = np.flatnonzero((self._noise > 0) | (self._dropout > 0))
        paths = list(specs)
        self._generators = [named_generator(f"{seed}/{paths[place]}/sensor") for place in self._drawn]
        self._normal = np.zeros((_BLOCK, len(chains)))
        self._uniform = np.ones((_BLOCK, len(chains)))
        self._slow, self._shown = first.copy(), first.copy()
        self._step = 0
        self.lost = np.zeros(len(chains), bool)

    def apply(self, true: NDArray[np.float64], codes: NDArray[np.uint32]) -> NDArray[np.float64]:
        """What the sensors show of the true values, one step after the last; marks lost values in ``codes``."""
        turn = self._step % _BLOCK
        if turn == 0:
            for place, generator in zip(self._drawn, self._generators, strict=True):
                self._normal[:, place] = generator.standard_normal(_BLOCK)
                self._uniform[:, place] = generator.random(_BLOCK)
        unknown = np.isnan(true)
        self._slow = np.where(np.isnan(self._slow), true, self._slow)
        self._slow += np.where(unknown, 0.0, (true - self._slow) * self._share)
        value = self._slow * self._gain + self._offset
        value += self._drift * ((self._step + 1) * STEP_NS / 1e9)
        value += self._noise * self._normal[turn]
        digits = np.where(self._digit > 0, self._digit, 1.0)
        value = np.where(self._digit > 0, np.rint(value / digits) * digits, value)
        value = np.clip(value, self._low, self._high)
        value[unknown] = np.nan
        missing = self._uniform[turn] < self._dropout
        self.lost = missing | (self._step % self._hold != 0)
        codes[missing] = np.maximum(codes[missing], np.uint32(status.UNCERTAIN_LAST_USABLE_VALUE))
        self._shown = np.where(self.lost & (self._step > 0), self._shown, value)
        self._step += 1
        return self._shown.copy()


def _limits(chain: SensorSpec) -> tuple[float, float]:
    low, high = chain.clip or (-np.inf, np.inf)
    if chain.current is not None:
        span = chain.current.high - chain.current.low
        ends = sorted((chain.current.low + _UNDER * span, chain.current.low + _OVER * span))
        low, high = max(low, ends[0]), min(high, ends[1])
    return float(low), float(high)
