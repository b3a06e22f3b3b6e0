"""What a wrong number looks like: the usual mistakes of the field, recognised from the value and the truth alone.

A suspicion names the kind of mistake, never the right setting.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from itertools import islice

from labsim.quantity import Tolerance
from labsim.text import Text, tr

WORD_ORDER = tr(
    "It looks like a number read in another word order.",
    "看起來是以另一種字序解讀的數值。",
    "看起来是以另一种字序解读的数值。",
)
FACTOR = tr(
    "It is off by a factor of {factor}: look at the scaling factor and the unit.",
    "相差 {factor} 倍：請查看比例係數與單位。",
    "相差 {factor} 倍：请查看比例系数与单位。",
)
SIGN = tr(
    "It has the other sign: look at how negative values are coded.",
    "符號相反：請查看負值如何編碼。",
    "符号相反：请查看负值如何编码。",
)
WRAP = tr(
    "It is off by exactly 2^{bits} counts: look at whether the register is signed.",
    "恰好相差 2^{bits} 個計數：請查看寄存器是否帶符號。",
    "恰好相差 2^{bits} 个计数：请查看寄存器是否带符号。",
)
FAHRENHEIT = tr(
    "It fits in degrees Fahrenheit: look at the unit.",
    "若以華氏度計則相符：請查看單位。",
    "若以华氏度计则相符：请查看单位。",
)
LAG = tr(
    "It was true {lag} earlier: look at how long a value travels.",
    "該值在 {lag} 之前為真：請查看數值在途中耗時多久。",
    "该值在 {lag} 之前为真：请查看数值在途中耗时多久。",
)
_QUARTER_NS = 900 * 10**9
"""Clocks of the world differ by quarters of an hour."""
_ORDERS = ((2, 3, 0, 1), (1, 0, 3, 2), (3, 2, 1, 0))
"""Where the four bytes of ABCD stand in CDAB, BADC and DCBA; each is its own inverse."""
_SCALES = (1.0, 10.0, 100.0, 1000.0, 0.1, 0.01, 0.001)
_WILD = 1e6
_TRIED = 20
"""Truths that are compared with; a value that was read a thousand times is hardly another mistake each time."""


def suspect(got: float, truths: Iterable[float], tolerance: Tolerance, unit: str | None = None) -> Text | None:
    """The mistake that best explains ``got`` when any of ``truths`` (the likeliest first) was right; None when none does."""
    true = list(islice(dict.fromkeys(value for value in truths if math.isfinite(value)), _TRIED))
    if not true or math.isnan(got):
        return None
    near = tolerance if tolerance.absolute or tolerance.relative else Tolerance(relative=1e-6)

    def fits(value: float) -> bool:
        return math.isfinite(value) and any(near.allows(value, t) for t in true)

    if math.isfinite(got) and any(value for value in true):
        if got and fits(-got):
            return SIGN
        for power in (1, 2, 3, 6):
            if got and (fits(got / 10**power) or fits(got * 10**power)):
                return FACTOR.format(factor=10**power)
        if unit == "°C" and fits((got - 32) / 1.8):
            return FAHRENHEIT
        for bits in (16, 32):
            if any(fits(got - 2**bits / scale) or fits(got + 2**bits / scale) for scale in _SCALES):
                return WRAP.format(bits=bits)
    if any(fits(value) for value in _reordered(got)):
        return WORD_ORDER
    size = max(abs(value) for value in true)
    if size and (abs(got) > size * _WILD or 0 < abs(got) < size / _WILD):
        return WORD_ORDER
    return None


def _reordered(got: float) -> Iterable[float]:
    """The values ``got`` would have been in the other three word orders: as float32, and as scaled int32 and uint32."""
    for order in _ORDERS:
        try:
            image = struct.pack(">f", got)
        except (OverflowError, ValueError):
            image = b""
        if image:
            yield float(struct.unpack(">f", bytes(image[i] for i in order))[0])
        for scale in _SCALES:
            counts = got * scale
            if not math.isfinite(counts) or abs(counts) > 2**33:
                continue
            whole = round(counts)
            for code in (">i", ">I"):
                try:
                    image = struct.pack(code, whole)
                except struct.error:
                    continue
                yield float(struct.unpack(code, bytes(image[i] for i in order))[0]) / scale


def misclocked(off_ns: int) -> Text:
    """What time stamps look like that are so far off: another time zone, or a wrong clock."""
    zone = round(off_ns / _QUARTER_NS)
    if zone and abs(off_ns - zone * _QUARTER_NS) < _QUARTER_NS // 10:
        return tr(
            "That is the difference of a time zone: a time without an offset counts as UTC.",
            "這是時區之差：不帶偏移量的時間視為 UTC。",
            "这是时区之差：不带偏移量的时间视为 UTC。",
        )
    return tr(
        "Stamp a value with the time at which it was true, and look at the clock that the time comes from.",
        "請以該值為真時的時間作為時間戳，並查看該時間所出自的時鐘。",
        "请以该值为真时的时间作为时间戳，并查看该时间所出自的时钟。",
    )
