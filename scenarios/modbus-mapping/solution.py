"""What a perfect trainee does in modbus-mapping: three meters, four tables, four word orders, with pymodbus's client only.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import struct
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pymodbus.client import ModbusTcpClient

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
POLLS = 220
SHED_S, COUNT_S = 180, 10  # length of the load shedding test, and how often the counter is read in it
# Register numbers of the datasheet: the main table of holding registers and the compact table of input registers
VOLTAGE_L1, VOLTAGE_L12, VOLTAGE_LN, CURRENT_N, FREQUENCY, ENERGY = 3028, 3020, 3036, 3006, 3110, 3204
C_TEMPERATURE, C_POWER_FACTOR, C_POWER = 8, 9, 25


def reorder(data: bytes, order: str) -> bytes:
    """Bytes as they came in ``order``, most significant first. A value of four registers follows the same rule."""
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return b"".join(words)


class Trainee:
    """Maps the three meters. The wrong answers override one step each."""

    def __init__(self, ready: dict[str, Any]) -> None:
        at = urlsplit(ready["endpoints"][0]["url"])
        self.meters = ModbusTcpClient(at.hostname, port=at.port)
        self.units = {row["device"]: row["unit"] for row in ready["endpoints"]}
        self.base = {f"meter{n}": ready["variants"][f"base{n}"] for n in (1, 2, 3)}
        self.rollover = ready["variants"]["rollover"]
        self.handin, self.control = Path(ready["handin"]), ready["control"]
        self.pace = 1 / ready["speed"]
        self.order: dict[str, str] = {}

    def run(self) -> None:
        """Everything, one task after the other."""
        self.meters.connect()
        self.read_tables()
        self.order = {meter: self.find_order(meter) for meter in self.units}
        print("word orders:", self.order)
        self.write("orders.csv", ("meter", "order"), self.report_orders())
        values = self.decode()
        print("values:", values)
        self.write("values.csv", ("tag", "value"), values)
        self.write("status.csv", ("bit", "state"), self.bits())
        self.meet_exception()
        self.answer("exception", "2")
        self.poll()
        energy = self.total(self.shed())
        print("energy of the test:", energy)
        self.write("energy.csv", ("figure", "value"), {"shed_kwh": energy / 1000})
        self.meters.close()

    def holding(self, meter: str, number: int, count: int) -> bytes:
        """Holding registers by number."""
        got = self.meters.read_holding_registers(self.address(meter, number), count=count, device_id=self.units[meter])
        return struct.pack(f">{count}H", *got.registers)

    def input(self, meter: str, number: int, count: int) -> bytes:
        """Input registers by number."""
        got = self.meters.read_input_registers(self.address(meter, number), count=count, device_id=self.units[meter])
        return struct.pack(f">{count}H", *got.registers)

    def address(self, meter: str, number: int) -> int:
        """Where a number of the datasheet is on the wire."""
        return number - 1 + self.base[meter]

    def read_tables(self) -> None:
        """One request to each table."""
        self.holding("meter1", VOLTAGE_L1, 2)
        self.input("meter1", 1, 1)
        self.meters.read_coils(self.address("meter1", 1), count=1, device_id=self.units["meter1"])
        self.meters.read_discrete_inputs(self.address("meter1", 1), count=5, device_id=self.units["meter1"])

    def find_order(self, meter: str) -> str:
        """The order in which the mean voltage is a voltage."""
        data = self.holding(meter, VOLTAGE_LN, 2)
        return next(order for order in ORDERS if 180 < struct.unpack(">f", reorder(data, order))[0] < 260)

    def report_orders(self) -> dict[str, Any]:
        """What is handed in as word orders."""
        return self.order

    def number(self, meter: str, data: bytes, kind: str) -> float:
        """A number of the given struct code in the meter's order; one register only has the order of its bytes."""
        return float(struct.unpack(">" + kind, reorder(data, self.order[meter]) if len(data) > 2 else data)[0])

    def decode(self) -> dict[str, Any]:
        """The eight values."""
        return {
            "meter1.voltage_l12": self.number("meter1", self.holding("meter1", VOLTAGE_L12, 2), "f"),
            "meter1.current_n": self.number("meter1", self.holding("meter1", CURRENT_N, 2), "f"),
            "meter1.temperature": self.signed("meter1", self.input("meter1", C_TEMPERATURE, 1)) / 10,
            "meter2.active_energy_delivered": self.energy(
                self.number("meter2", self.holding("meter2", ENERGY, 4), "q")
            ),
            "meter2.frequency": self.number("meter2", self.holding("meter2", FREQUENCY, 2), "f"),
            "meter3.active_power_total": self.signed("meter3", self.input("meter3", C_POWER, 2)) / 1000,
            "meter3.power_factor_total": self.signed("meter3", self.input("meter3", C_POWER_FACTOR, 1)) / 1000,
            "meter3.voltage_l1": self.number("meter3", self.holding("meter3", VOLTAGE_L1, 2), "f"),
        }

    def signed(self, meter: str, data: bytes) -> float:
        """A signed integer of one or two registers."""
        return self.number(meter, data, "h" if len(data) == 2 else "i")

    def energy(self, watt_hours: float) -> float:
        """Energy as it is handed in."""
        return watt_hours

    def bits(self) -> dict[str, Any]:
        """The status bits that are asked for."""
        lost = self.meters.read_discrete_inputs(self.address("meter2", 1), count=3, device_id=self.units["meter2"]).bits
        roof = self.meters.read_discrete_inputs(self.address("meter3", 5), count=1, device_id=self.units["meter3"]).bits
        phases = {f"meter2.phase_loss_l{n + 1}": int(lost[n]) for n in range(3)}
        data = self.holding("meter2", VOLTAGE_L1, 6)
        volts = [self.number("meter2", data[4 * n : 4 * n + 4], "f") for n in range(3)]
        unknown = next(f"L{n + 1}" for n, volt in enumerate(volts) if math.isnan(volt))
        return phases | {"meter3.exporting": int(roof[0]), "not_a_number": unknown}

    def meet_exception(self) -> None:
        """A register that the meter does not have."""
        got = self.meters.read_holding_registers(60000, count=1, device_id=self.units["meter1"])
        print("exception", got.exception_code)

    def poll(self) -> None:
        """The phase voltages once a second, from start to start."""
        begin = time.monotonic()
        for n in range(POLLS):
            self.poll_once()
            time.sleep(max(0.0, begin + (n + 1) * self.pace - time.monotonic()))

    def poll_once(self) -> None:
        """All three voltages in one request."""
        self.holding("meter1", VOLTAGE_L1, 6)

    def shed(self) -> list[int]:
        """Shed the load of the cold store; readings of its counter from then to the end of the test, Wh."""
        readings = [self.count()]
        self.meters.write_coil(self.address("meter1", 1), True, device_id=self.units["meter1"])
        begin = time.monotonic()
        for n in range(1, SHED_S // COUNT_S + 1):
            time.sleep(max(0.0, begin + n * COUNT_S * self.pace - time.monotonic()))
            readings.append(self.count())
        return readings

    def count(self) -> int:
        """The energy counter of the cold store; its four registers in one request."""
        return int(self.number("meter1", self.holding("meter1", ENERGY, 4), "q"))

    def total(self, readings: list[int]) -> int:
        """Energy from the first reading to the last: a step back is one through the rollover."""
        return sum((now - before) % self.rollover for before, now in itertools.pairwise(readings))

    def write(self, name: str, header: tuple[str, str], rows: dict[str, Any]) -> None:
        """Hand in a CSV file."""
        with (self.handin / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows.items()])

    def answer(self, task: str, value: str) -> None:
        """Answer a task, as `labsim answer` does."""
        body = json.dumps({"task": task, "value": value}).encode()
        request = urllib.request.Request(f"{self.control}/answer", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    trainee(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).run()


if __name__ == "__main__":
    main(Trainee)
