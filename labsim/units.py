"""Engineering units: the symbols device interfaces use, with their UNECE code and name.

The OPC UA unit id is the code's ASCII bytes as a big-endian integer (OPC 10000-8 §5.6.3).
Source: UNECE Recommendation 20 and UNECE_to_OPCUA.csv of the OPC Foundation.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACE = "http://www.opcfoundation.org/UA/units/un/cefact"


@dataclass(frozen=True, slots=True)
class Unit:
    """One engineering unit: symbol as printed, UNECE code, English name."""

    symbol: str
    code: str
    name: str

    @property
    def unit_id(self) -> int:
        """UnitId of EUInformation."""
        return int.from_bytes(self.code.encode("ascii"), "big")


_TABLE = (
    ("°C", "CEL", "degree Celsius"), ("K", "KEL", "kelvin"), ("%", "P1", "percent"), ("1", "C62", "one"),
    ("pcs", "H87", "piece"), ("V", "VLT", "volt"), ("A", "AMP", "ampere"), ("mA", "4K", "milliampere"),
    ("W", "WTT", "watt"), ("kW", "KWT", "kilowatt"), ("kWh", "KWH", "kilowatt hour"), ("Wh", "WHR", "watt hour"),
    ("var", "D44", "var"), ("kvar", "KVR", "kilovar"), ("VA", "D46", "volt-ampere"), ("kVA", "KVA", "kilovolt-ampere"),
    ("kvarh", "K3", "kilovolt ampere reactive hour"), ("kVAh", "C79", "kilovolt ampere hour"),
    ("Hz", "HTZ", "hertz"), ("r/min", "RPM", "revolutions per minute"), ("bar", "BAR", "bar"), ("Pa", "PAL", "pascal"),
    ("kPa", "KPA", "kilopascal"), ("mm", "MMT", "millimetre"), ("µm", "4H", "micrometre"), ("m", "MTR", "metre"),
    ("m³", "MTQ", "cubic metre"), ("l", "LTR", "litre"), ("m³/h", "MQH", "cubic metre per hour"),
    ("m³/s", "MQS", "cubic metre per second"), ("l/min", "L2", "litre per minute"), ("kg", "KGM", "kilogram"),
    ("g", "GRM", "gram"), ("t", "TNE", "tonne"), ("kg/s", "KGS", "kilogram per second"),
    ("kg/m³", "KMQ", "kilogram per cubic metre"), ("s", "SEC", "second"), ("ms", "C26", "millisecond"),
    ("min", "MIN", "minute"), ("h", "HUR", "hour"), ("mm/s", "C16", "millimetre per second"),
    ("m/s", "MTS", "metre per second"), ("m/min", "2X", "metre per minute"), ("mm/min", "H81", "millimetre per minute"),
    ("m/s²", "MSK", "metre per second squared"), ("in/s", "IU", "inch per second"), ("N", "NEW", "newton"),
    ("kN", "B47", "kilonewton"), ("N·m", "NU", "newton metre"), ("°", "DD", "degree"), ("rad", "C81", "radian"),
    ("ppm", "59", "part per million"), ("dB", "2N", "decibel"), ("ml", "MLT", "millilitre"),
    ("1/min", "C94", "reciprocal minute"),
)  # fmt: skip

UNITS: dict[str, Unit] = {symbol: Unit(symbol, code, name) for symbol, code, name in _TABLE}
"""Unit by printed symbol."""
