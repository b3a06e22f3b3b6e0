"""A modular fieldbus coupler with a watchdog of its own, wired to a small handling station."""

from __future__ import annotations

from devices.fieldbus_coupler.station import BELT_MOST_M_S, Station
from devices.fieldbus_coupler.watchdog import BIT_WRITES, WORD_WRITES, Watchdog
from devices.orders import Order, Orders
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

OUTPUTS = 8
CLAMP, LIFT, BELT = 0, 1, 2
LED_FINE, LED_WATCHDOG = 0, 11
NOISE_MA = 0.004
GAP_M = (0.6, 3.0)


class FieldbusCoupler(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """Outputs off, watchdog off."""
        self._watchdog = Watchdog()
        self._orders = Orders(self)
        self._outputs = 0
        self._station = Station(float(self.settings["ambient_temperature"]), float(self.random.uniform(*GAP_M)))
        self._gap = float(self.random.uniform(*GAP_M))
        self._sense()
        self._report()
        self._orders.settle()

    def guard(self, tag: Tag, value: Value) -> int:  # noqa: ARG002 - only the tag matters
        """An expired watchdog refuses outputs; a running one keeps its time; a restart is a 1."""
        watchdog = self._watchdog
        if watchdog.blocks and not tag.name.startswith("watchdog_"):
            return status.BAD_INVALID_STATE
        if tag.name == "watchdog_time" and watchdog.state == 1:
            return status.BAD_INVALID_STATE
        return status.GOOD

    def take(self, tag: Tag, value: Value) -> Value:
        """Takes every write down."""
        self._orders.take(tag.name, value)
        return value

    def step(self, dt: float) -> None:
        """Orders, watchdog, station, inputs."""
        for order in self._orders.drain():
            self._obey(order)
        if self._watchdog.advance(dt):
            self._outputs = 0
            self["ao_0"] = self["ao_1"] = 0.0
        belt = float(self["ao_0"]) / 10 * BELT_MOST_M_S if self._drives(BELT) else 0.0
        bar = min(float(self["ao_1"]), float(self.settings["air_supply"]))
        passed = self._station.advance(
            dt,
            belt,
            bar,
            (self._drives(CLAMP), self._drives(LIFT)),
            float(self.settings["ambient_temperature"]),
            self._gap,
        )
        if passed:
            self._gap = float(self.random.uniform(*GAP_M))
        self._sense()
        self._report()
        self._orders.settle()

    def _drives(self, output: int) -> bool:
        return bool(self._outputs >> output & 1)

    def _obey(self, order: Order) -> None:
        """What a write means, and that it is a sign of life."""
        name, value, by_client = order
        watchdog = self._watchdog
        number = 0 if isinstance(value, str) else int(value)
        match name:
            case "do_word":
                self._outputs = number
            case "watchdog_time":
                watchdog.time = number
            case "watchdog_mask":
                watchdog.mask = watchdog.mask & ~0xFFFF | number
            case "watchdog_mask_high":
                watchdog.mask = watchdog.mask & 0xFFFF | number << 16
            case "watchdog_trigger":
                watchdog.trigger(number)
            case "watchdog_stop":
                watchdog.stop(number)
            case "watchdog_restart" if number == 1:
                watchdog.start()
            case "watchdog_simple_stop":
                watchdog.stop_at_once(number)
            case "watchdog_alternative":
                watchdog.alternative = bool(number)
            case _ if name.startswith("do_"):
                bit = 1 << int(name[3:])
                self._outputs = self._outputs | bit if value else self._outputs & ~bit
        if by_client and name not in ("watchdog_stop", "watchdog_simple_stop"):
            watchdog.wrote(BIT_WRITES if self.tags[name].type == "bool" else WORD_WRITES)

    def _sense(self) -> None:
        """Inputs as the terminals see them."""
        station = self._station
        noise = [min(max(x, -4.0), 4.0) * NOISE_MA for x in self.random.standard_normal(3).tolist()]
        signals = (station.belt / BELT_MOST_M_S, station.air / 10, station.motor / 100)
        for index, (part, error) in enumerate(zip(signals, noise, strict=True)):
            self[f"ai_{index}"] = min(max(4 + 16 * part + error, 0.0), 22.0)
        if self.settings["pressure_wiring"] == "open":
            self.store.set(self.tags["ai_1"].row, 0.0, status.BAD_NOT_CONNECTED)
        self.store.set(self.tags["ai_3"].row, 0.0, status.BAD_NOT_CONNECTED)  # nothing is wired to it
        clamp, lift = station.clamp, station.lift
        seen = station.seen or bool(self.settings["eye_dirty"])
        states = (clamp.home, clamp.out, lift.home, lift.out, seen, station.belt > 0.02, station.air > 4.0, False)
        for index, state in enumerate(states):
            self[f"di_{index}"] = state
        self["di_word"] = sum(1 << index for index, state in enumerate(states) if state)

    def _report(self) -> None:
        """Outputs as they are, and the watchdog's registers."""
        watchdog = self._watchdog
        self["do_word"] = self._outputs
        for index in range(OUTPUTS):
            self[f"do_{index}"] = self._drives(index)
        self["watchdog_status"], self["watchdog_least"] = int(watchdog.state), watchdog.least
        self["watchdog_restart"] = 0
        self["led_code"] = LED_WATCHDOG if watchdog.state == 2 else LED_FINE
        self["parts"] = self._station.parts


BEHAVIOUR = FieldbusCoupler
