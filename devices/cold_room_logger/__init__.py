"""A cold room with its door, and the battery logger in it that sends what it recorded by radio."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from devices.cold_room_logger.air import humidity, saturation
from devices.cold_room_logger.room import FAN_KW, HEATER_KW, Outside, Room
from labsim.plant import status
from labsim.plant.device import Device, Process

PERFORMANCE = 2.5
"""Heat taken out per electric power of the compressor."""
REST_S = 120.0
"""A compressor stands at least this long before it starts again."""
DEFROST_LEAST_S, DEFROST_MOST_S = 300.0, 1800.0
SENSOR_TAU_S = 60.0
NOISE_K, NOISE_PERCENT = 0.02, 0.1
MEMORY = 2000
"""Records that the logger keeps; a new one then pushes out the oldest."""
RETRY_PART, CATCH_UP_S = 0.25, 1.0
"""A transmission that failed is tried again after this part of the interval; what is late goes out one record a second."""
SILENT = 3
"""Intervals without a record after which what was received last is bad."""
SLEEP_PERCENT, RADIO_PERCENT = 0.0005, 0.0003
"""Battery used in an hour, and by each transmission."""
RADIO_LEAST = 5.0
"""Below this charge (%) the radio stays off."""
HYSTERESIS_BACK = 0.5
_RECEIVED = ("record_number", "record_time", "record_temperature", "record_humidity", "record_door_open")
_SELECTED = ("selected_number", "selected_time", "selected_temperature", "selected_humidity", "selected_door_open")


@dataclass(frozen=True, slots=True)
class Record:
    """What the logger wrote down: its number, its operating time (s), and what it measured."""

    number: int
    time: int
    temperature: float
    humidity: float
    door_open: bool

    @property
    def values(self) -> tuple[int, int, float, float, bool]:
        """In the order of the tags that show a record."""
        return self.number, self.time, self.temperature, self.humidity, self.door_open


class ColdRoomLogger(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A room at its set-point with product of the same temperature, the door closed."""
        setpoint = float(self["setpoint"])
        self._room = Room(
            float(self.settings["volume"]), float(self.settings["product_mass"]), setpoint, 0.85 * saturation(setpoint),
            setpoint, setpoint,
        )  # fmt: skip
        self._person = False  # somebody holds the door open
        self._open_s = self._above_s = self._defrost_s = 0.0
        self._rested_s = REST_S
        self._defrost_due_s = float(self.settings["defrost_interval"])
        self._wall = setpoint  # what the sensor has taken on
        self._wall_humidity = 85.0
        self._charge = float(self.settings["battery"])
        self._records: deque[Record] = deque(maxlen=MEMORY)
        self._made = self._sent = 0
        self._window = (-1, -1)  # the number asked for and the newest record when the window was filled
        self._silent = False
        self._record_due_s = self._send_due_s = 0.0
        self._heard_s = 0.0
        self._measure(0.0)
        self._show_selected()

    def configured(self, name: str) -> None:
        """Another room keeps its temperature; a new battery is full as set."""
        if name == "volume":
            self._room.volume = float(self.settings["volume"])
        elif name == "product_mass":
            self._room.product = float(self.settings["product_mass"])
        elif name == "battery":
            self._charge = float(self.settings["battery"])
        elif name == "defrost_interval":
            self._defrost_due_s = self.now_s + float(self.settings["defrost_interval"])
        elif name == "log_interval":
            self._record_due_s = self._send_due_s = self.now_s

    def run(self) -> Process:
        """People come and go; with a mean time of 0 between them nobody comes."""
        while True:
            mean = float(self.settings["door_interval"])
            yield self.wait(float(self.random.exponential(mean)) if mean else 60.0)
            if mean and self.settings["door_interval"]:
                self._person = True
                yield self.wait(float(self.settings["door_time"]) * float(self.random.uniform(0.5, 1.5)))
                self._person = False

    def step(self, dt: float) -> None:
        """Door, refrigeration, balance; then what the logger measures, records and sends."""
        self._move_door(dt)
        self._control(dt)
        outside = self._outside()
        self["heat_gain"] = self._room.heat(outside)
        self._room.advance(
            dt, outside, rated_kw=float(self.settings["capacity"]), running=bool(self["compressor_running"]),
            defrosting=bool(self["defrosting"]),
        )  # fmt: skip
        self._measure(dt)
        self._judge(dt)
        self._use_battery(dt)
        self._record()
        self._send()
        self._show_selected()

    # The room.

    def _outside(self) -> Outside:
        temperature = float(self.settings["outside_temperature"])
        water = saturation(temperature) * float(self.settings["outside_humidity"]) / 100
        free = 1 - float(self.settings["curtain"]) / 100
        width = float(self.settings["door_width"]) * free * bool(self["door_open"])
        return Outside(temperature, water, width, float(self.settings["door_height"]))

    def _move_door(self, dt: float) -> None:
        wanted, is_open = self._person or "door-open" in self.faults, bool(self["door_open"])
        if is_open:
            self._open_s += dt
            self["door_open_time"] = float(self["door_open_time"]) + dt
        if wanted and not is_open:
            self._open_s = 0.0
            self["door_openings"] = openings = int(self["door_openings"]) + 1
            self.emit("DoorOpened", Openings=openings)
        elif is_open and not wanted:
            self.emit("DoorClosed", Seconds=round(self._open_s, 1))
        self["door_open"] = wanted

    def _control(self, dt: float) -> None:
        """Defrost by the clock, and between times a thermostat with hysteresis."""
        power = all(supply.level > 0 for supply in self.supplies("power"))
        if self["defrosting"]:
            self._defrost_s += dt
            done = self._room.frost <= 0 and self._defrost_s >= DEFROST_LEAST_S
            if done or self._defrost_s >= DEFROST_MOST_S or not power:
                self["defrosting"] = False
                self._defrost_due_s = self.now_s + float(self.settings["defrost_interval"])
        elif self.now_s >= self._defrost_due_s and power:
            self["defrosting"], self._defrost_s = True, 0.0
        running = bool(self["compressor_running"])
        half = float(self.settings["hysteresis"]) / 2
        away = self._room.temperature - float(self["setpoint"])
        may = power and not self["defrosting"] and "compressor-off" not in self.faults
        wanted = may and (away > -half if running else away > half and self._rested_s >= REST_S)
        self._rested_s = 0.0 if wanted else self._rested_s + dt
        if wanted and not running:
            self["compressor_starts"] = int(self["compressor_starts"]) + 1
        self["compressor_running"] = wanted
        draw = wanted * (self._room.cooling / PERFORMANCE + FAN_KW) + bool(self["defrosting"]) * HEATER_KW
        self["power"] = draw
        for supply in self.supplies("power"):
            supply.demand = draw

    # The logger.

    def _measure(self, dt: float) -> None:
        """A sensor on the wall takes its time, scatters a little, and shows tenths."""
        part = 1 - math.exp(-dt / SENSOR_TAU_S)
        self._wall += part * (self._room.temperature - self._wall)
        self._wall_humidity += part * (humidity(self._room.temperature, self._room.water) - self._wall_humidity)
        noise = self.random.standard_normal(2).tolist()
        self["temperature"] = round(self._wall + NOISE_K * noise[0], 1)
        self["humidity"] = round(min(max(self._wall_humidity + NOISE_PERCENT * noise[1], 0.0), 100.0), 1)
        self["product_temperature"] = self._room.core
        self["coil_temperature"] = self._room.coil
        self["operating_time"] = int(self.now_s)

    def _judge(self, dt: float) -> None:
        """Too warm for too long is an excursion, until it is cold again."""
        limit, here = float(self.settings["limit"]), float(self["temperature"])
        self._above_s = self._above_s + dt if here > limit else 0.0
        self["time_above_limit"] = self._above_s
        if self._above_s > float(self.settings["limit_delay"]):
            self["excursion"] = True
        elif here <= limit - HYSTERESIS_BACK:
            self["excursion"] = False

    def _use_battery(self, dt: float) -> None:
        self._charge = max(self._charge - SLEEP_PERCENT * dt / 3600, 0.0)
        low = self.faults.get("battery-low")
        charge = min(self._charge, low["level"]) if low else self._charge
        self["battery"] = charge
        self["battery_voltage"] = 2.4 + 0.9 * (1 - math.exp(-charge / 12)) + 0.003 * charge
        self["radio_connected"] = "radio-gap" not in self.faults and charge >= RADIO_LEAST

    def _record(self) -> None:
        if self.now_s + 1e-6 < self._record_due_s:
            return
        self._record_due_s += float(self.settings["log_interval"])
        self._made += 1
        now = Record(
            self._made, int(self.now_s), float(self["temperature"]), float(self["humidity"]), bool(self["door_open"])
        )
        self._records.append(now)
        self["newest_record"], self["oldest_record"] = now.number, self._records[0].number
        self._send_due_s = min(self._send_due_s, self.now_s)

    def _send(self) -> None:
        """One record at a time, the oldest first; what did not get through stays in the memory and goes out later."""
        oldest = self._records[0].number
        self._sent = max(self._sent, oldest - 1)
        interval = float(self.settings["log_interval"])
        if self._sent < self._made and self["radio_connected"] and self.now_s + 1e-6 >= self._send_due_s:
            self._charge = max(self._charge - RADIO_PERCENT, 0.0)
            if float(self.random.random()) * 100 < float(self.settings["radio_loss"]):
                self._send_due_s = self.now_s + max(RETRY_PART * interval, CATCH_UP_S)
            else:
                self._sent += 1
                self._send_due_s = self.now_s + CATCH_UP_S
                self._deliver(self._records[self._sent - oldest])
        self["pending_records"] = self._made - self._sent
        if not self._silent and self.now_s - self._heard_s > SILENT * interval:
            self._silent = True
            for name in _RECEIVED:
                self.mark(name, status.BAD_NO_COMMUNICATION)
        self["record_age"] = max(self.now_s - float(self["record_time"]), 0.0)

    def _deliver(self, record: Record) -> None:
        self._heard_s, self._silent = self.now_s, False
        for name, value in zip(_RECEIVED, record.values, strict=True):
            self[name] = value
        self.emit(
            "RecordReceived", Number=record.number, Age=round(max(self.now_s - record.time, 0.0), 1),
            Temperature=record.temperature, Humidity=record.humidity, DoorOpen=record.door_open,
        )  # fmt: skip

    def _show_selected(self) -> None:
        """The window on the memory; a number that is not in it makes the window bad."""
        wanted = int(self["record_select"]), self._made
        if wanted == self._window:
            return
        self._window = wanted
        place = wanted[0] - self._records[0].number if self._records else -1
        if not 0 <= place < len(self._records):
            for name in _SELECTED:
                self.mark(name, status.BAD_OUT_OF_RANGE)
            return
        for name, value in zip(_SELECTED, self._records[place].values, strict=True):
            self[name] = value


BEHAVIOUR = ColdRoomLogger
