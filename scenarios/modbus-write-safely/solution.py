"""What a perfect trainee does in modbus-write-safely: write, read back, write again what did not stay.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pymodbus.client import ModbusTcpClient

TEMPERATURE, FLOW, PRESSURE = 100, 101, 102
PERMISSIVE, RUNNING, PUMP = 0, 4, 0
BUSY, NOT_ALLOWED = 6, 3


class Trainee:
    """Works through the batch card. The wrong answers override one step each."""

    def __init__(self, ready: dict[str, Any]) -> None:
        (row,) = ready["endpoints"]
        at = urlsplit(row["url"])
        self.unit, self.card = row["unit"], ready["variants"]
        self.client = ModbusTcpClient(at.hostname, port=at.port)
        self.control, self.pace = ready["control"], 1 / ready["speed"]

    def run(self) -> None:
        """Everything, one task after the other."""
        self.client.connect()
        self.set_all(TEMPERATURE, [round(self.card["temperature"] * self.scale())])
        self.set_all(FLOW, self.four())
        code = self.write(PRESSURE, [850])
        print(f"85 bar: exception {code:02d}")
        self.answer("refused", str(code))
        self.start()
        time.sleep(8 * self.pace)
        kept = self.ask_for(50)
        print(f"50 l/min: the unit keeps {kept:g}")
        self.answer("clamped", f"{kept:g}")
        self.set_all(FLOW, [self.card["flow"] * 10])
        self.afterwards()
        self.client.close()

    def scale(self) -> int:
        """Counts of the temperature register for a degree."""
        return 10

    def four(self) -> list[int]:
        """Flow, high pressure, concentration and refill level as the registers hold them."""
        card = self.card
        return [card["flow"] * 10, card["pressure"] * 10, round(card["concentration"] * 100), card["refill"] * 10]

    def set_all(self, address: int, values: Sequence[int]) -> None:
        """Write until it is there."""
        for _ in range(5):
            if self.write(address, values):
                return
            if self.stayed(address, values):
                return
            print(f"register {address}: not all of it stayed")

    def write(self, address: int, values: Sequence[int]) -> int:
        """Write one or several registers; the exception code, 0 when it was taken. A busy device is asked again."""
        while True:
            if len(values) == 1:
                answer = self.client.write_register(address, values[0], device_id=self.unit)
            else:
                answer = self.client.write_registers(address, list(values), device_id=self.unit)
            if not answer.isError():
                return 0
            if answer.exception_code != BUSY:
                return int(answer.exception_code)
            time.sleep(self.pace)

    def stayed(self, address: int, values: Sequence[int]) -> bool:
        """Whether the device has kept them."""
        got = self.client.read_holding_registers(address, count=len(values), device_id=self.unit)
        return list(got.registers) == list(values)

    def start(self) -> None:
        """Start the pump when it may."""
        self.may_start()
        self.client.write_coil(PUMP, True, device_id=self.unit)
        for _ in range(4):
            time.sleep(self.pace)
            if self.client.read_discrete_inputs(RUNNING, count=1, device_id=self.unit).bits[0]:
                print("the pump runs")
                return

    def may_start(self) -> None:
        """Wait for the permissive."""
        while not self.client.read_discrete_inputs(PERMISSIVE, count=1, device_id=self.unit).bits[0]:
            time.sleep(self.pace)

    def ask_for(self, flow: int) -> float:
        """The flow set-point that the unit keeps when it is asked for ``flow``, l/min; a request that was lost is made again."""
        before = kept = self.kept()
        for _ in range(3):
            while self.write(FLOW, [flow * 10]):  # it argues until it has pumped for some seconds
                time.sleep(self.pace)
            kept = self.kept()
            if kept != before:
                break
        return kept

    def kept(self) -> float:
        """The flow set-point that the unit has kept, l/min."""
        return float(self.client.read_holding_registers(FLOW, count=1, device_id=self.unit).registers[0]) / 10

    def afterwards(self) -> None:
        """Nothing more."""

    def answer(self, task: str, value: str) -> None:
        """Answer a task."""
        body = json.dumps({"task": task, "value": value}).encode()
        request = urllib.request.Request(f"{self.control}/answer", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    trainee(ready).run()


if __name__ == "__main__":
    main(Trainee)
