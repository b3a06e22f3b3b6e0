"""What the control API answers, as typed records; fields it may leave out have a default, fields it may add are ignored."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from labsim.errors import ControlError


class ScenarioInfo(msgspec.Struct, frozen=True):
    """The scenario a lab runs; ``brief`` is Markdown in the language asked for, ``minutes`` what a person is given."""

    id: str
    title: str = ""
    level: str = ""
    minutes: float = 0
    competences: list[str] = []
    brief: str | None = None


class UserInfo(msgspec.Struct, frozen=True):
    """An account at an endpoint."""

    name: str
    password: str = ""
    role: str = ""


class AddressInfo(msgspec.Struct, frozen=True):
    """Where one device (``device`` None: a whole endpoint) can be reached; ``unit`` is the Modbus unit id."""

    protocol: str
    url: str
    device: str | None = None
    unit: int | None = None
    users: list[UserInfo] = []


class DeviceInfo(msgspec.Struct, frozen=True):
    """One device of the plant with what is set on it."""

    path: str
    type: str
    title: str = ""
    settings: dict[str, Any] = {}


class ParameterInfo(msgspec.Struct, frozen=True):
    """What a fault takes: a number in ``range`` of ``unit``, or (``of`` is ``tag``) the name of a tag."""

    title: str = ""
    unit: str | None = None
    range: tuple[float, float] | None = None
    default: float | None = None
    of: str = "number"


class FaultInfo(msgspec.Struct, frozen=True):
    """A fault that may happen to a target; ``about`` says what shows at the endpoints."""

    fault: str
    title: str = ""
    about: str = ""
    catalogue: str = ""
    parameters: dict[str, ParameterInfo] = {}


class OpenedHint(msgspec.Struct, frozen=True):
    """A hint that was paid for."""

    text: str
    cost: float = 0


class Hints(msgspec.Struct, frozen=True):
    """Hints of a task; ``next_cost`` is None when all are opened."""

    total: int = 0
    opened: list[OpenedHint] = []
    next_cost: float | None = None

    @property
    def left(self) -> int:
        """How many are not opened yet."""
        return max(0, self.total - len(self.opened))


class TaskInfo(msgspec.Struct, frozen=True):
    """One task; ``answer`` is the question of a task that asks one, ``answered`` what was said last."""

    id: str
    title: str = ""
    brief: str | None = None
    marks: float = 0
    answer: str | None = None
    answered: Any = None
    hints: Hints = Hints()


class ClientInfo(msgspec.Struct, frozen=True):
    """Somebody connected: ``client`` is ip:port, ``app`` what it calls itself."""

    protocol: str = ""
    client: str = ""
    app: str = ""


class CheckOutcome(msgspec.Struct, frozen=True):
    """How one check went; ``outcome`` is passed, failed, not_checked or cannot_check; ``evidence`` are journal numbers."""

    id: str
    check: str = ""
    outcome: str = ""
    score: float = 0
    max: float = 0
    title: str = ""
    reason: str = ""
    expected: Any = None
    actual: Any = None
    help: str = ""
    evidence: list[int] = []


class TaskOutcome(msgspec.Struct, frozen=True):
    """How one task went."""

    id: str
    title: str = ""
    outcome: str = ""
    score: float = 0
    max: float = 0
    checks: list[CheckOutcome] = []


class Deduction(msgspec.Struct, frozen=True):
    """Marks a penalty took."""

    id: str
    marks: float = 0
    reason: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """A marking of the attempt, so far or for good; ``tasks`` holds one task when only one was checked."""

    scenario: str = ""
    attempt: str = ""
    score: float = 0
    max: float = 0
    passed: bool = False
    tasks: list[TaskOutcome] = []
    penalties: list[Deduction] = []
    head: str = ""


class Lab(msgspec.Struct, frozen=True):
    """A running lab: ``t`` in simulated seconds, ``mode`` training or exam, ``state`` running, paused or stopped.

    ``trouble`` is why the lab itself has to wait, and what to do.
    """

    scenario: ScenarioInfo
    seed: int | str = 0
    attempt: str = ""
    handin: str = ""
    speed: float = 1
    mode: str = "training"
    state: str = "running"
    trouble: str | None = None
    t: float = 0
    lang: str = "en"
    endpoints: list[AddressInfo] = []
    devices: list[DeviceInfo] = []
    tasks: list[TaskInfo] = []
    verdict: Verdict | None = None
    late_steps: int = 0
    clients: list[ClientInfo] = []


class HintText(msgspec.Struct, frozen=True):
    """A hint just opened; ``left`` hints remain for the task."""

    task: str
    text: str
    cost: float = 0
    left: int = 0


class FeedEntry(msgspec.Struct, frozen=True):
    """One line of the live feed; ``t`` simulated seconds, ``w`` wall time in UTC ns, ``text`` and ``advice`` by language."""

    seq: int
    t: float = 0
    w: int = 0
    protocol: str = ""
    client: str = ""
    device: str = ""
    kind: str = ""
    level: str = "info"
    text: dict[str, str] = {}
    advice: dict[str, str] | None = None
    detail: dict[str, Any] = {}


_T = TypeVar("_T")


def read(kind: type[_T], answer: Any) -> _T:
    """``answer`` as a record.

    Raises:
        ControlError: it has another shape; the message names the first field that does not fit.
    """
    try:
        return msgspec.convert(answer, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ControlError(
            f"the lab answered something this version of labsim cannot read ({error}); use the same version on both sides"
        ) from None
