"""A gate of antennas that reads the RFID tags of parts passing through it."""

from __future__ import annotations

import hashlib
import json
import math
from collections import deque
from collections.abc import Sequence

from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.flow import Part
from labsim.plant.tags import Value

ROUND_S = 0.2
"""One inventory round of one antenna."""
ZONE_M = 1.6
"""Length of the way on which a tag can be read."""
REACH_M = 0.7
"""Distance of an antenna from the middle of the way."""
RSSI_AT_1M = -54.0
"""dBm of a tag one metre from an antenna of 30 dBm."""
HANGING_DB, FADING_DB = 4.0, 2.0
"""Standard deviations: of a tag, by how it hangs and what the part holds; and from round to round."""
SENSITIVITY = -65.0
"""dBm below which the reader hears nothing."""
SUCCESS = 0.7
"""Part of the rounds in which a tag that is heard is read: tags and antennas take turns."""
SHIELD_DB = 40.0
"""What a tag on metal or behind water loses."""
GHOST_S = (1.0, 8.0)
"""When a tag that has left is read once more, after it."""
RECENT = 8
MANAGER = 4660
"""General manager number of the tags' identifiers (28 bit)."""


def epc_of(identity: str) -> tuple[str, str]:
    """The GID-96 of a part, in hexadecimal and as a URI (GS1 EPC Tag Data Standard, General Identifier).

    The object class stands for what its identity begins with, the serial number for the digits at its end.
    """
    stem = identity.rstrip("0123456789")
    digits = identity[len(stem) :][-10:]
    serial = int(digits or "0") % (1 << 36)
    kind = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:3], "big")
    number = 0x35 << 88 | MANAGER << 60 | kind << 36 | serial
    return f"{number:024X}", f"urn:epc:id:gid:{MANAGER}.{kind}.{serial}"


class RfidGate(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """The reader reads, nothing is in the gate."""
        self._alone = not self.flows["parts_in"]
        self._recent: deque[dict[str, Value]] = deque(maxlen=RECENT)
        self._seen: dict[str, float] = {}  # when a tag was last told, by EPC
        self._show()

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:  # noqa: ARG002 - none has any
        """Start and stop reading."""
        self["reading"] = name == "scan_start"
        return status.GOOD, ()

    def step(self, dt: float) -> None:  # noqa: ARG002 - nothing here goes by the length of a step
        """Power, and how warm the reader is."""
        on = self._on
        self["reader_on"] = on
        self["reader_temperature"] = (
            31.0 + 9.0 * (on and bool(self["reading"])) + 0.1 * float(self.random.standard_normal())
        )
        for supply in self.supplies("power"):
            supply.demand = (0.025 if self["reading"] else 0.01) if supply.level > 0 else 0.0

    @property
    def _on(self) -> bool:
        return all(supply.level > 0 for supply in self.supplies("power"))

    def run(self) -> Process:
        """One part after the other goes through; one that cannot leave stands in the gate and is read again and again."""
        lane_in, lane_out = self.lane("parts_in"), self.lane("parts_out")
        while True:
            if self._alone:
                yield self.wait(float(self.random.exponential(float(self.settings["gap"]))) + 0.5)
            part: Part = yield lane_in.get()
            part.trail.append((self.path, self.now_s))
            self["part_present"] = True
            self["parts_passed"] = int(self["parts_passed"]) + 1
            loss = HANGING_DB * float(self.random.standard_normal())
            loss += SHIELD_DB * self._falls("missed-read", "miss_rate")
            read = False
            seconds = ZONE_M / float(self.settings["speed"])
            for number in range(max(round(seconds / ROUND_S), 1)):
                yield self.wait(ROUND_S)
                read |= self._try(part, number, -ZONE_M / 2 + number * ROUND_S * float(self.settings["speed"]), loss)
            gone, number = lane_out.put(part), 0
            while not gone.triggered:
                self["blocked"] = True
                yield gone | self.wait(ROUND_S)
                number += 1
                if not gone.triggered:
                    read |= self._try(part, number, ZONE_M / 2, loss)
            self["part_present"] = self["blocked"] = False
            self["parts_read"] = int(self["parts_read"]) + read
            if read and self._falls("double-read", "double_rate"):
                self.env.process(self._ghost(part))
            self._show()

    def _falls(self, fault: str, setting: str) -> bool:
        """Whether chance strikes, at the rate of the fault where it is in force."""
        rate = self.faults[fault]["rate"] if fault in self.faults else float(self.settings[setting])
        return float(self.random.random()) * 100 < rate

    def _ghost(self, part: Part) -> Process:
        """A tag that has left is read once more, whatever the filter says: it came by on a fork, or by a reflection."""
        yield self.wait(float(self.random.uniform(*GHOST_S)))
        if self._on and self["reading"]:
            self._tell(part, 1 + int(self.random.integers(self._antennas)), SENSITIVITY + 1.0)

    @property
    def _antennas(self) -> int:
        return int(self.settings["antennas"])

    def _try(self, part: Part, number: int, place: float, loss: float) -> bool:
        """One round: whether the tag was read; it is told when the filter lets it."""
        fading, chance = float(self.random.standard_normal()), float(self.random.random())
        if not (self._on and self["reading"]):
            return False
        antenna = number % self._antennas + 1
        strength = RSSI_AT_1M + float(self["transmit_power"]) - 30.0
        rssi = strength - 40.0 * math.log10(math.hypot(place, REACH_M)) + FADING_DB * fading - loss
        if rssi < SENSITIVITY or chance >= SUCCESS:
            return False
        epc, _ = epc_of(part.identity)
        last = self._seen.get(epc)
        if last is None or self.now_s - last >= float(self.settings["filter"]):
            self._tell(part, antenna, rssi)
        return True

    def _tell(self, part: Part, antenna: int, rssi: float) -> None:
        epc, uri = epc_of(part.identity)
        horizon = self.now_s - float(self.settings["filter"])
        self._seen = {known: when for known, when in self._seen.items() if when > horizon}
        self._seen[epc] = self.now_s
        rssi = round(min(max(rssi, -100.0), -10.0), 1)
        data = part.identity if self.settings["user_memory"] else ""
        part.marks["epc"] = epc
        self["reads"] = int(self["reads"]) + 1
        self["last_epc"], self["last_uri"], self["last_data"] = epc, uri, data
        self["last_antenna"], self["last_rssi"] = antenna, rssi
        self["last_read_time"] = round(self.now_s, 3)
        self._recent.append({"epc": epc, "antenna": antenna, "rssi": rssi, "time": round(self.now_s, 1)})
        self.emit("TagRead", Epc=epc, Uri=uri, Data=data, Antenna=antenna, Rssi=rssi)
        self._show()

    def _show(self) -> None:
        passed = int(self["parts_passed"]) - bool(self["part_present"])
        self["read_rate"] = 100.0 * int(self["parts_read"]) / passed if passed else 100.0
        self["recent_reads"] = json.dumps(list(self._recent), separators=(",", ":"))


BEHAVIOUR = RfidGate
