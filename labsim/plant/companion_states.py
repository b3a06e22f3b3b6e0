"""State machines and object types of companion specifications, with the node ids that their published NodeSets give them.

A machine of an interface is made from one tag with labels; PackML spreads its one state over three machines, one in the
other, so that a client reads three CurrentState variables (OPC 30050 §6.3.6 to §6.3.8). Here is which state belongs to which.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labsim.plant.signature import ArgumentSpec
from labsim.text import Text, tr


@dataclass(frozen=True, slots=True)
class State:
    """A state by its StateNumber: browse name, node id in the specification's namespace, and what people read."""

    name: str
    node: int
    title: Text


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from one state to another; ``number`` is its TransitionNumber where the specification gives one."""

    name: str
    node: int
    source: int
    target: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A method of a machine."""

    node: int
    title: Text
    inputs: dict[str, ArgumentSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """A type of state machine.

    Attributes:
        number: Node id of the type.
        states, transitions, commands: What it has; commands by name.
        inner: Browse name of the machine that one of its states holds, and the name of that one's type.
        inner_state: The state that holds it.
    """

    number: int
    states: dict[int, State]
    transitions: tuple[Transition, ...] = ()
    commands: dict[str, Command] = field(default_factory=dict)
    inner: tuple[str, str] | None = None
    inner_state: int = 0


def _all_ways(states: dict[int, State], numbers: dict[str, tuple[int, int]]) -> tuple[Transition, ...]:
    """Every state can follow every other and itself (OPC 40001-1 §12.2, §13.2): ``FromXToY`` with node id and number."""
    by_name = {state.name: number for number, state in states.items()}
    found = []
    for name, (node, number) in numbers.items():
        source, _, target = name.removeprefix("From").partition("To")
        while source not in by_name:  # a name may hold "To" itself
            more, _, target = target.partition("To")
            source = f"{source}To{more}"
        found.append(Transition(name, node, by_name[source], by_name[target], number))
    return tuple(found)


_ITEM_STATES = {
    0: State("NotAvailable", 5005, tr("Not available", "不可用", "不可用")),
    1: State("OutOfService", 5004, tr("Out of service", "停用", "停用")),
    2: State("NotExecuting", 5007, tr("Not executing", "未執行", "未执行")),
    3: State("Executing", 5006, tr("Executing", "執行中", "执行中")),
}
_MODES = {
    0: State("None", 5024, tr("None", "無", "无")),
    1: State("Maintenance", 5025, tr("Maintenance", "維護", "维护")),
    2: State("Setup", 5027, tr("Setup", "調試", "调试")),
    3: State("Processing", 5026, tr("Processing", "加工", "加工")),
}
_ITEM_WAYS = {
    "FromNotAvailableToOutOfService": (5008, 0), "FromNotAvailableToNotExecuting": (5009, 2),
    "FromNotAvailableToExecuting": (5010, 1), "FromNotAvailableToNotAvailable": (5011, 12),
    "FromOutOfServiceToNotAvailable": (5012, 3), "FromOutOfServiceToNotExecuting": (5013, 5),
    "FromOutOfServiceToExecuting": (5014, 4), "FromOutOfServiceToOutOfService": (5015, 13),
    "FromNotExecutingToNotAvailable": (5016, 9), "FromNotExecutingToOutOfService": (5017, 10),
    "FromNotExecutingToExecuting": (5018, 11), "FromNotExecutingToNotExecuting": (5019, 15),
    "FromExecutingToNotAvailable": (5020, 6), "FromExecutingToOutOfService": (5021, 7),
    "FromExecutingToNotExecuting": (5022, 8), "FromExecutingToExecuting": (5023, 14),
}  # fmt: skip
_MODE_WAYS = {
    "FromNoneToMaintenance": (5028, 0), "FromNoneToSetup": (5029, 2), "FromNoneToProcessing": (5030, 1),
    "FromNoneToNone": (5031, 12), "FromMaintenanceToNone": (5032, 3), "FromMaintenanceToSetup": (5033, 5),
    "FromMaintenanceToProcessing": (5034, 4), "FromMaintenanceToMaintenance": (5035, 13), "FromSetupToNone": (5036, 9),
    "FromSetupToMaintenance": (5037, 10), "FromSetupToProcessing": (5038, 11), "FromSetupToSetup": (5039, 15),
    "FromProcessingToNone": (5040, 6), "FromProcessingToMaintenance": (5041, 7), "FromProcessingToSetup": (5042, 8),
    "FromProcessingToProcessing": (5043, 14),
}  # fmt: skip


def _named(states: dict[int, tuple[str, int, str, str]]) -> dict[int, State]:
    return {number: State(name, node, tr(name, hant, hans)) for number, (name, node, hant, hans) in states.items()}


def _ways(states: dict[int, State], names: str) -> tuple[Transition, ...]:
    """Read ``39 ResettingToIdle; …``."""
    by_name = {state.name: number for number, state in states.items()}
    found = []
    for one in names.split(";"):
        node, name = one.split()
        source, _, target = name.partition("To")
        found.append(Transition(name, int(node), by_name[source], by_name[target]))
    return tuple(found)


_BASE = _named({
    19: ("Cleared", 71, "已清除", "已清除"), 8: ("Aborting", 61, "中止中", "中止中"), 9: ("Aborted", 62, "已中止", "已中止"),
})  # fmt: skip
_MACHINE = _named({
    18: ("Running", 75, "運行", "运行"), 7: ("Stopping", 54, "停止中", "停止中"), 2: ("Stopped", 53, "已停止", "已停止"),
    1: ("Clearing", 55, "清除中", "清除中"),
})  # fmt: skip
_EXECUTE = _named({
    15: ("Resetting", 27, "復位中", "复位中"), 4: ("Idle", 28, "空閒", "空闲"), 3: ("Starting", 29, "啟動中", "启动中"),
    13: ("Suspending", 30, "掛起中", "挂起中"), 5: ("Suspended", 31, "已掛起", "已挂起"),
    14: ("Unsuspending", 32, "解除掛起中", "解除挂起中"), 10: ("Holding", 33, "保持中", "保持中"),
    11: ("Held", 34, "已保持", "已保持"), 12: ("Unholding", 35, "解除保持中", "解除保持中"), 6: ("Execute", 36, "執行", "执行"),
    16: ("Completing", 37, "完成中", "完成中"), 17: ("Complete", 38, "已完成", "已完成"),
})  # fmt: skip
_RESET = tr("Reset", "復位", "复位")
_PARAMETER = ArgumentSpec(
    type="packml:PackMLDescriptorDataType", array=True, title=tr("Parameters of the run", "運行參數", "运行参数")
)
_JOB_STATES = {
    1: State("NotAllowedToStart", 5035, tr("Not allowed to start", "不允許開始", "不允许开始")),
    2: State("AllowedToStart", 5036, tr("Allowed to start", "允許開始", "允许开始")),
    3: State("Running", 5037, tr("Running", "執行中", "执行中")),
    4: State("Interrupted", 5038, tr("Interrupted", "已中斷", "已中断")),
    5: State("Ended", 5039, tr("Ended", "已結束", "已结束")),
    6: State("Aborted", 5040, tr("Aborted", "已中止", "已中止")),
}
_JOB_WAYS = {
    "FromNotAllowedToStartToNotAllowedToStart": (5041, 1), "FromNotAllowedToStartToAllowedToStart": (5042, 2),
    "FromAllowedToStartToNotAllowedToStart": (5043, 3), "FromAllowedToStartToAllowedToStart": (5044, 4),
    "FromAllowedToStartToRunning": (5045, 5), "FromRunningToInterrupted": (5046, 6), "FromRunningToEnded": (5047, 7),
    "FromRunningToAborted": (5048, 8), "FromInterruptedToAborted": (5049, 9), "FromInterruptedToRunning": (5050, 10),
    "FromInterruptedToEnded": (5051, 11), "FromNotAllowedToStartToAborted": (5084, 12),
    "FromAllowedToStartToAborted": (5085, 13),
}  # fmt: skip

MACHINES: dict[str, Machine] = {
    # OPC 40001-1 §12.2, §13.2
    "machinery:MachineryItemState_StateMachineType": Machine(1002, _ITEM_STATES, _all_ways(_ITEM_STATES, _ITEM_WAYS)),
    "machinery:MachineryOperationModeStateMachineType": Machine(1008, _MODES, _all_ways(_MODES, _MODE_WAYS)),
    # OPC 30050 §6.3.6 to §6.3.8
    "packml:PackMLBaseStateMachineType": Machine(
        3, _BASE, _ways(_BASE, "65 AbortedToCleared; 66 AbortingToAborted; 67 ClearedToAborting"),
        {"Abort": Command(364, tr("Abort", "中止", "中止")), "Clear": Command(363, tr("Clear", "清除", "清除"))},
        ("MachineState", "packml:PackMLMachineStateMachineType"), 19,
    ),
    "packml:PackMLMachineStateMachineType": Machine(
        2, _MACHINE,
        _ways(_MACHINE, "57 StoppingToStopped; 58 ClearingToStopped; 59 StoppedToRunning; 60 RunningToStopping"),
        {"Stop": Command(375, tr("Stop", "停止", "停止")), "Reset": Command(376, _RESET)},
        ("ExecuteState", "packml:PackMLExecuteStateMachineType"), 18,
    ),
    "packml:PackMLExecuteStateMachineType": Machine(
        1, _EXECUTE,
        _ways(
            _EXECUTE,
            "39 ResettingToIdle; 40 IdleToStarting; 41 StartingToExecute; 42 ExecuteToSuspending; "
            "43 SuspendingToSuspended; 44 UnsuspendingToExecute; 45 ExecuteToHolding; 46 HoldingToHeld; "
            "47 HeldToUnholding; 48 UnholdingToExecute; 49 ExecuteToCompleting; 50 CompletingToComplete; "
            "51 CompleteToResetting; 52 SuspendedToUnsuspending; 99 StartingToHolding; 100 UnsuspendingToHolding; "
            "101 SuspendedToHolding; 102 SuspendingToHolding; 103 UnholdingToHolding",
        ),
        {
            "Start": Command(369, tr("Start", "啟動", "启动"), {"Parameter": _PARAMETER}),
            "Hold": Command(366, tr("Hold", "保持", "保持")),
            "Unhold": Command(368, tr("Unhold", "解除保持", "解除保持")),
            "Suspend": Command(367, tr("Suspend", "掛起", "挂起")),
            "Unsuspend": Command(372, tr("Unsuspend", "解除掛起", "解除挂起")),
            "ToComplete": Command(365, tr("Complete", "完成", "完成")),
            "Reset": Command(361, _RESET),
        },
    ),
    # OPC 10031-4 §6.2.1; what a job order does
    "isa95:ISA95JobOrderReceiverObjectType": Machine(1002, _JOB_STATES, _all_ways(_JOB_STATES, _JOB_WAYS)),
}  # fmt: skip
"""By prefix and name of the type."""

OBJECT_TYPES: dict[str, int] = {
    "packml:PackMLBaseObjectType": 6, "packml:PackMLAdminObjectType": 5, "packml:PackMLStatusObjectType": 4,
    "machinetool:MachineToolType": 13, "machinetool:MonitoringType": 14, "machinetool:ChannelMonitoringType": 16,
    "machinetool:SpindleMonitoringType": 22, "machinetool:MachineOperationMonitoringType": 26,
    "machinetool:ProductionType": 21, "machinetool:ProductionActiveProgramType": 32,
    "machinetool:ProductionStatisticsType": 20, "machinetool:EquipmentType": 12, "machinetool:ToolListType": 44,
    "machinetool:NotificationType": 7, "machinery:MachineryOperationCounterType": 1009,
    "machinery:MachineryLifetimeCounterType": 1015, "machinery:MachineComponentsType": 1006,
    "jobs:JobManagementType": 1003, "isa95:ISA95JobOrderReceiverObjectType": 1002,
    "isa95:ISA95JobResponseProviderObjectType": 1003,
}  # fmt: skip
"""Node ids of object types that a device or its folders can be of."""


def machines_of(type_: str) -> list[Machine]:
    """A companion's machine and those in it, from the outside; none for a type of the device's own."""
    found, machine = [], MACHINES.get(type_)
    while machine is not None:
        found.append(machine)
        machine = MACHINES.get(machine.inner[1]) if machine.inner is not None else None
    return found
