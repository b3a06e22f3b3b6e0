"""A conveyor that reads cartons and sorts them into lanes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from devices.sorter.belt import DIVERTS_M, REJECT_M, RETURN_M, SCAN_M, ZONES, Belt, Carton
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.flow import Part
from labsim.plant.tags import Tag, Value

STOPPED, RUNNING, JAMMED, NO_POWER = range(4)
NONE, START, STOP, RESET = range(4)
EMPTY, TRANSPORT, ACCUMULATE = range(3)
LANES = len(DIVERTS_M)
ACCELERATION = 0.5
JAM_S = 5.0
"""A photo-eye that is covered for longer, while the belt runs, says that cartons jam."""
CHUTE_S = 3.0
"""Time down a chute."""
ROUNDS = 3
"""A carton that nobody could read so often goes to the reject lane."""
IDLE_KW, BELT_KW, CARTON_KW = 0.2, 0.6, 0.03
"""Power: standing by, and by m/s for the belt and for each carton on it."""
WINDOW_S = 60.0
_ZONES = tuple(f"zone{number}" for number in range(1, ZONES + 1))
_METHODS = {"start": START, "stop": STOP, "reset": RESET}


def lane_of(part: Part) -> int:
    """Where a part is to go: its mark ``lane``, or by the digits at the end of its identity in turn."""
    wanted = part.marks.get("lane")
    if isinstance(wanted, (int, float)) and 1 <= wanted <= LANES:
        return int(wanted)
    digits = part.identity[len(part.identity.rstrip("0123456789")) :]
    return int(digits[-9:] or "0") % LANES + 1


class Sorter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """An empty belt, which runs by itself where it is set so."""
        self._alone = not self.flows["parts_in"]
        self._belt = Belt()
        self._chutes: list[deque[tuple[float, Part]]] = [deque() for _ in range(LANES + 1)]  # lane 0 is the reject lane
        self._speed, self._covered_s, self._next_s = 0.0, 0.0, 0.0
        self._levels: tuple[int, ...] = ()
        self._sorted_at: deque[float] = deque()
        self._running = bool(self.settings["autostart"])
        self._show()

    def guard(self, tag: Tag, value: Value) -> int:
        """A command that cannot be carried out is refused."""
        return self._may(int(value)) if tag.name == "command" else status.GOOD

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:  # noqa: ARG002 - none has any
        """Start, stop and reset, as the command register does."""
        command = _METHODS[name]
        if (code := self._may(command)) == status.GOOD:
            self._obey(command)
        return code, ()

    def _may(self, command: int) -> int:
        """No start while cartons jam, no reset while what holds them is there."""
        jam = bool(self["jam"])
        blocked = (command == START and jam) or (command == RESET and jam and "jam" in self.faults)
        return status.BAD_INVALID_STATE if blocked else status.GOOD

    def _obey(self, command: int) -> None:
        if command == RESET and self["jam"]:
            self["jam"], self._covered_s, self._belt.stuck = False, 0.0, None
            self.emit("JamCleared")
        elif command in (START, STOP):
            self._running = command == START

    def step(self, dt: float) -> None:
        """Command, belt, scanner and diverters, chutes, induction."""
        if command := int(self["command"]):
            self["command"] = NONE
            if self._may(command) == status.GOOD:
                self._obey(command)
        self._drive(dt)
        for carton, before in self._belt.advance(self._speed * dt):
            self._pass(carton, before)
        self._watch(dt)
        self._empty_chutes()
        self._induct()
        self._show()

    def _drive(self, dt: float) -> None:
        power = all(supply.level > 0 for supply in self.supplies("power"))
        wanted = float(self["speed_setpoint"]) if self._running and power and not self["jam"] else 0.0
        most = ACCELERATION * dt
        self._speed = max(min(self._speed + min(max(wanted - self._speed, -most), most), 3.0), 0.0)
        if self._speed < 1e-6:
            self._speed = 0.0
        draw = (IDLE_KW + self._speed * (BELT_KW + CARTON_KW * len(self._belt.cartons))) if power else 0.0
        self["motor_power"] = draw
        for supply in self.supplies("power"):
            supply.demand = draw
        self["state"] = NO_POWER if not power else JAMMED if self["jam"] else RUNNING if self._running else STOPPED

    def _pass(self, carton: Carton, before: float) -> None:
        """What happens where a carton has come past something."""
        here = carton.place
        if before < SCAN_M <= here:
            if "jam" in self.faults and self._belt.stuck is None:
                carton.place, self._belt.stuck = SCAN_M, carton
            self._scan(carton)
        for lane, place in enumerate(DIVERTS_M, 1):
            due = carton.lane and (carton.missed or carton.lane == lane)
            if before < place <= here and due and self._divert(carton, lane):
                return
        if before < REJECT_M <= here and not carton.lane and carton.rounds + 1 >= ROUNDS:
            self._leave(carton, 0)
        elif before < REJECT_M <= here:
            carton.rounds += 1
            self["recirculated"] = int(self["recirculated"]) + 1

    def _scan(self, carton: Carton) -> None:
        self["scanned"] = int(self["scanned"]) + 1
        rate = self.faults["no-read"]["rate"] if "no-read" in self.faults else float(self.settings["no_read"])
        read = float(self.random.random()) * 100 >= rate
        carton.missed = False
        carton.lane = lane_of(carton.part) if read else 0
        if not read:
            self["no_reads"] = int(self["no_reads"]) + 1
        self["no_read_rate"] = 100.0 * int(self["no_reads"]) / int(self["scanned"])
        code = carton.part.identity if read else "NOREAD"
        self["last_code"], self["last_lane"] = code, carton.lane
        self.emit("CartonScanned", Code=code, Lane=carton.lane)

    def _divert(self, carton: Carton, lane: int) -> bool:
        """Whether the carton goes down here: the diverter may miss it, the lane may be full or closed."""
        miss = float(self.random.random()) * 100 < float(self.settings["mis_sort"])
        if miss and not carton.missed:
            carton.missed = True
            return False
        if len(self._chutes[lane]) >= int(self.settings["chute_capacity"]) or not self[f"lane{lane}_enabled"]:
            return False
        if lane != carton.lane:
            self["mis_sorts"] = int(self["mis_sorts"]) + 1
        self._leave(carton, lane)
        return True

    def _leave(self, carton: Carton, lane: int) -> None:
        name = f"lane{lane}_count" if lane else "rejected"
        self[name] = int(self[name]) + 1
        self._belt.remove(carton)
        self._chutes[lane].append((self.now_s + CHUTE_S, carton.part))
        self._sorted_at.append(self.now_s)
        self.emit("CartonSorted", Code=carton.part.identity, Lane=lane)

    def _watch(self, dt: float) -> None:
        """The photo-eye at the scanner finds a jam."""
        covered = self._belt.covers(SCAN_M)
        self._covered_s = self._covered_s + dt if covered and self._speed > 0 else 0.0
        if self._covered_s > JAM_S and not self["jam"]:
            self["jam"], self["jams"] = True, int(self["jams"]) + 1
            self.emit("JamDetected", Zone=2)

    def _empty_chutes(self) -> None:
        for lane, chute in enumerate(self._chutes):
            out = self.lane(f"lane{lane}_out" if lane else "reject_out")
            if chute and chute[0][0] <= self.now_s and not out.full:
                out.put(chute.popleft()[1])

    def _induct(self) -> None:
        """Cartons that come back go first; new ones follow with their gap, when the belt runs."""
        belt = self._belt
        if not self._speed or not belt.room:
            return
        first = belt.cartons[0] if belt.cartons else None
        if first is not None and first.place >= RETURN_M:
            belt.remove(first)
            belt.add(first)
            return
        lane = self.lane("parts_in")
        if lane.empty or (self._alone and self.now_s < self._next_s):
            return
        part: Part = lane.get().value
        part.trail.append((self.path, self.now_s))
        belt.add(Carton(part))
        self["cartons_in"] = int(self["cartons_in"]) + 1
        jitter = float(self.settings["gap_jitter"]) / 100 * float(self.random.uniform(-1, 1))
        self._next_s = self.now_s + 60 / float(self.settings["rate"]) * (1 + jitter)

    def _show(self) -> None:
        belt = self._belt
        self["speed"], self["on_belt"] = self._speed, len(belt.cartons)
        self["eye_induction"], self["eye_scanner"] = belt.covers(0.0), belt.covers(SCAN_M)
        loads = belt.zones()
        for number, name in enumerate(_ZONES):
            held = ACCUMULATE if not self._speed or (belt.stuck is not None and number == 0) else TRANSPORT
            self[name] = held if loads[number] else EMPTY
        most = int(self.settings["chute_capacity"])
        levels = most, *(len(chute) for chute in self._chutes[1:])
        if levels != self._levels:
            self._levels = levels
            for lane, level in enumerate(levels[1:], 1):
                self[f"lane{lane}_level"], self[f"lane{lane}_full"] = level, level >= most
        while self._sorted_at and self._sorted_at[0] <= self.now_s - WINDOW_S:
            self._sorted_at.popleft()
        self["throughput"] = len(self._sorted_at)


BEHAVIOUR = Sorter
