from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.cnc_mill.motion import Axes
from devices.cnc_mill.programs import HOME, PROGRAMS, Move
from devices.cnc_mill.tool import Tool
from labsim.plant import status
from labsim.plant.device import Device

WEARS = ("tool1_wear", "tool2_wear", "tool3_wear")


def undisturbed(bench, **settings):
    """A warm mill without stops and bad blanks."""
    return bench("cnc-mill", **{"stops_per_hour": 0, "scrap_rate": 0, "warm_up": 0} | settings)


def make_parts(rig, count: int) -> Device:
    """Run until ``count`` more parts are completed."""
    wanted = int(rig.device["parts_completed"]) + count
    for _ in range(count * 6000):
        if int(rig.run(0.1)["parts_completed"]) == wanted:
            return rig.device
    raise AssertionError("the mill stopped making parts")


def test_ninety_minutes_hold_together(bench):
    """Parts are good plus scrap and never fall, wear only falls at a tool change, states fit each other, tools do change."""
    last: dict[str, float] = {}
    seen: dict[str, set] = {"stop_reason": set(), "program_state": set(), "machinery_item_state": set()}
    falls = 0

    def check(d: Device) -> None:
        nonlocal falls
        for name, values in seen.items():
            values.add(d[name])
        assert d["parts_completed"] == d["parts_good"] + d["parts_scrap"]
        assert [d["light_red"], d["light_yellow"], d["light_green"]].count(True) == 1
        assert d["light_green"] == (d["machinery_item_state"] == 3)
        assert d["light_red"] == (d["stop_reason"] in (1, 2, 3, 4)) == (d["machinery_item_state"] == 1)
        assert (d["program_state"] == 3) == (d["channel_state"] == 1)
        assert d["spindle_rotating"] == (d["spindle_speed"] > 0)
        wears = [float(d[name]) for name in WEARS]
        worse = [wear - last.get(name, 0.0) for name, wear in zip(WEARS, wears, strict=True)]
        fell = [index for index, change in enumerate(worse) if change < 0]
        falls += len(fell)
        assert falls == d["tool_changes"]
        assert all(wears[index] == 0 for index in fell)
        for name in (
            "parts_completed",
            "parts_lifetime",
            "operation_cycles",
            "power_on_duration",
            "operation_duration",
        ):
            assert float(d[name]) >= last.get(name, 0.0)
        last.update(
            {
                name: float(d[name])
                for name in (
                    *WEARS,
                    "parts_completed",
                    "parts_lifetime",
                    "operation_cycles",
                    "power_on_duration",
                    "operation_duration",
                )
            }
        )

    device = bench("cnc-mill", tool_life=3, scrap_rate=8, stops_per_hour=20).run(5400, check)
    assert 30 < device["parts_completed"] < 90
    assert device["parts_scrap"] > 0
    assert device["tool_changes"] > 5
    assert device["power_on_duration"] == 5400 * 1000
    assert seen["stop_reason"] >= {0, 1, 2, 3, 4, 5, 6}
    assert seen["program_state"] == {0, 1, 2, 3}
    assert seen["machinery_item_state"] == {1, 2, 3}


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_an_undisturbed_cycle_takes_what_is_planned(bench, program: str):
    """Each program's cycle time is its planned one within a second, again and again."""
    rig = undisturbed(bench, program=program)
    for _ in range(3):
        device = make_parts(rig, 1)
        assert device["cycle_time"] == pytest.approx(float(device["planned_cycle_time"]), abs=1.0)
        assert device["program_name"] == program


@pytest.mark.parametrize(("override", "longer"), [(50, True), (150, False)])
def test_the_feed_override_changes_the_cycle(bench, override: float, longer: bool):
    """Half the feed makes a part slower by the cutting time, 150 % makes it quicker."""
    rig = undisturbed(bench)
    normal = float(make_parts(rig, 1)["cycle_time"])
    assert rig.write("feed_override", override) == status.GOOD
    changed = float(make_parts(rig, 2)["cycle_time"])
    cutting = sum(
        math.dist(a, b.to) / operation.feed * 60
        for operation in PROGRAMS["BRACKET-10"].operations
        for a, b in zip((HOME, *(m.to for m in operation.moves)), operation.moves, strict=False)
        if b.cut
    )
    assert (changed - normal) / (cutting * (100 / override - 1)) == pytest.approx(1, abs=0.35 if longer else 0.1)


def test_feed_zero_stands_still_inside_a_running_program(bench):
    """At 0 % no axis moves and nothing wears, while the program still counts as running: a loss that only the feed shows."""
    rig = undisturbed(bench)
    rig.run(30)
    assert rig.device["program_state"] == 1
    rig.write("feed_override", 0)
    rig.run(0.1)
    axes = ("position_x", "position_y", "position_z", *WEARS)
    stood = [rig.device[name] for name in axes]
    device = rig.run(300)
    assert [device[name] for name in axes] == stood
    assert (device["program_state"], device["machinery_item_state"], device["feed_rate"]) == (1, 3, 0)
    rig.write("feed_override", 100)
    assert float(make_parts(rig, 1)["cycle_time"]) > 300


def test_axes_move_in_every_step_of_a_cut_and_never_jump(bench):
    """Between two steps the tool goes no further than rapid traverse can, and the shown feed is the way it went."""
    last: list[tuple[float, ...]] = []
    moved = 0

    def check(d: Device) -> None:
        nonlocal moved
        here = tuple(float(d[f"position_{axis}"]) for axis in "xyz")
        if last:
            way = math.dist(here, last[-1])
            moved += way > 0
            assert way <= 30.0 + 1e-9
            assert way <= float(d["feed_rate"]) / 600 + 1e-3
        last.append(here)

    undisturbed(bench).run(300, check)
    assert moved > 1500


def test_leaving_automatic_interrupts_the_program_and_coming_back_goes_on(bench):
    """In Setup the program is interrupted where it stands; back in Automatic the same part is finished."""
    rig = undisturbed(bench)
    rig.run(40)
    rig.write("operation_mode", 2)
    rig.run(5)
    device = rig.device
    where = device["position_x"]
    assert (device["program_state"], device["channel_state"], device["stop_reason"]) == (3, 1, 8)
    assert (device["machinery_operation_mode"], device["machinery_item_state"]) == (2, 2)
    rig.run(60)
    assert (device["position_x"], device["spindle_speed"], device["parts_completed"]) == (where, 0, 0)
    rig.write("operation_mode", 1)
    make_parts(rig, 1)
    assert device["cycle_time"] > 65 + float(device["planned_cycle_time"]) - 3


def test_the_target_ends_the_job_and_a_reset_begins_the_next(bench):
    """At the target the mill waits; a higher target goes on; reset begins a new job with counters at 0."""
    rig = undisturbed(bench)
    assert rig.write("part_target", 2) == status.GOOD
    make_parts(rig, 2)
    device = rig.run(120)
    assert (device["parts_completed"], device["stop_reason"], device["machinery_item_state"]) == (2, 7, 2)
    assert rig.write("part_target", 1) == status.BAD_INVALID_STATE
    assert rig.write("part_target", 3) == status.GOOD
    make_parts(rig, 1)
    lifetime = device["parts_lifetime"]
    assert rig.write("reset", value=True) == status.GOOD
    rig.run(0.1)
    assert (device["reset"], device["parts_completed"], device["job_identifier"]) == (False, 0, "JOB-0002")
    assert device["parts_lifetime"] == lifetime
    make_parts(rig, 1)


def test_a_job_is_not_reset_inside_a_program(bench):
    """While a program runs or is interrupted, reset is refused with BadInvalidState and nothing changes."""
    rig = undisturbed(bench)
    rig.run(30)
    assert rig.write("reset", value=True) == status.BAD_INVALID_STATE
    rig.write("operation_mode", 0)
    rig.run(1)
    assert rig.write("reset", value=True) == status.BAD_INVALID_STATE
    assert rig.device["job_identifier"] == "JOB-0001"


def test_a_worn_tool_loads_the_spindle_and_moves_the_dimension(bench):
    """Over the life of the end mill its load at the same cut rises by some 40 %, and the part grows."""
    rig = undisturbed(bench, tool_life=3)
    loads, deviations = [], []
    for _ in range(9):
        peak = [0.0]
        before = rig.device["parts_completed"]
        while rig.device["parts_completed"] == before:
            d = rig.run(0.1)
            if d["tool_number"] == 2 and 1500 < float(d["feed_rate"]) < 2300:
                peak.append(float(d["spindle_load"]))
        loads.append(sorted(peak)[len(peak) // 2])
        deviations.append(float(rig.device["part_deviation"]))
        if rig.device["tool2_wear"] > 80:
            break
    assert 1.2 < loads[-1] / loads[0] < 1.5
    assert deviations[-1] > deviations[0]


def test_short_stops_follow_operating_time(bench):
    """At 120 an hour, an hour brings about 120 per hour of execution, none of them while the mill stands."""
    begins, executing = 0, 0
    last = 0

    def check(d: Device) -> None:
        nonlocal begins, executing, last
        reason = d["stop_reason"] if d["stop_reason"] in (1, 2, 3, 4) else 0
        begins += bool(reason and not last)
        executing += d["machinery_item_state"] == 3
        last = reason

    bench("cnc-mill", stops_per_hour=120).run(3600, check)
    assert begins / (executing / 36000) == pytest.approx(120, rel=0.35)


def test_warm_up_turns_the_spindle_and_makes_nothing(bench):
    """For the set time the mill only warms up, then loads its first part."""
    rig = bench("cnc-mill", warm_up=30)
    device = rig.run(29)
    assert (device["is_warm_up"], device["parts_completed"], device["program_state"]) == (True, 0, 2)
    assert device["spindle_speed"] == pytest.approx(3000, rel=0.01)
    assert rig.run(2)["is_warm_up"] is False


@given(
    speeds=st.lists(st.floats(0.5, 1.2), min_size=1, max_size=20),
    feeds=st.lists(st.floats(0, 1.5), min_size=1, max_size=20),
)
def test_wear_never_heals(speeds: list[float], feeds: list[float]):
    """Whatever the overrides, cutting wears a tool on, and flank wear and load rise with it."""
    tool = Tool("T", 1.0)
    for speed, feed in itertools.product(speeds, feeds):
        used, flank, load = tool.used, tool.flank_mm, tool.load_factor
        tool.cut(1.0, 8.0, speed, feed)
        assert tool.used >= used
        assert tool.flank_mm >= flank
        assert tool.load_factor >= load


def test_taylor_ten_percent_more_speed_leaves_two_thirds_of_the_life():
    """V T^0.25 = C: at 1.1 of the cutting speed and the same feed per tooth, life is 1.1^-4 = 0.683."""
    slow, fast = Tool("T", 1.0), Tool("T", 1.0)
    slow.cut(60, 10, 1.0, 1.0)
    fast.cut(60, 10, 1.1, 1.1)
    assert slow.used == pytest.approx(0.1)
    assert slow.used / fast.used == pytest.approx(1.1**-4)


def test_flank_wear_reaches_the_limit_at_the_end_of_life():
    """VB is 0 for a new tool and 0.3 mm for a worn-out one."""
    assert Tool("T", 1.0).flank_mm == 0
    assert Tool("T", 1.0, used=1.0).flank_mm == pytest.approx(0.3, rel=1e-3)


@given(
    points=st.lists(st.tuples(*[st.floats(0, 500)] * 3), min_size=1, max_size=6),
    dt=st.floats(0.01, 0.5),
    override=st.floats(0.05, 1.5),
)
def test_a_path_takes_its_length_over_its_speed(points: list[tuple[float, float, float]], dt: float, override: float):
    """However time is cut into steps, a path of cuts ends at its last point after length / (feed x override)."""
    axes = Axes()
    way = sum(math.dist(a, b) for a, b in itertools.pairwise((HOME, *points)))
    axes.follow([Move(point, cut=True) for point in points], feed=60_000)
    went = cut = 0.0
    while axes.moving:
        travel = axes.advance(dt, override, spindle_ready=True)
        went, cut = went + travel.distance, cut + travel.cut_s
    assert axes.position == points[-1]
    assert went == pytest.approx(way, rel=1e-6, abs=1e-6)
    assert cut == pytest.approx(way / (1000 * override), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_tool_paths_lie_inside_the_machine(program):
    """Every point of every program is inside the axes' ranges, and tools come in from above."""
    for operation in program.operations:
        assert operation.tool in (1, 2, 3)
        assert not operation.moves[0].cut
        for move in operation.moves:
            assert 0 <= move.to[0] <= 650
            assert 0 <= move.to[1] <= 500
            assert -50 <= move.to[2] <= 450


def test_a_job_is_started_by_a_call(bench):
    """Program and target are set and a new job begins; not inside a program, not with a program or target there is none of."""
    rig = undisturbed(bench)
    make_parts(rig, 1)
    device = rig.device
    while device["program_state"] != 2:
        rig.run(0.1)
    assert device.call("start_job", ["NOTHING", 5]) == (status.BAD_INVALID_ARGUMENT, ())
    assert device.call("start_job", ["PLATE-30", 0]) == (status.BAD_INVALID_ARGUMENT, ())
    assert device.call("start_job", ["PLATE-30", 2]) == (status.GOOD, ("JOB-0002",))
    assert (device["parts_completed"], device["part_target"], device["program_name"]) == (0, 2, "PLATE-30")
    while device["program_state"] == 2:
        rig.run(0.1)
    assert device.call("start_job", ["PLATE-30", 2]) == (status.BAD_INVALID_STATE, ())
    assert device.call("replace_tool", [1]) == (status.BAD_INVALID_STATE, ())


def test_a_tool_is_replaced_by_a_call(bench):
    """It tells the wear of the old one and counts; a place that is not there is refused."""
    rig = undisturbed(bench, tool_life=600)
    device = make_parts(rig, 1)
    while device["program_state"] != 2:
        rig.run(0.1)
    worn, changes = device["tool1_wear"], device["tool_changes"]
    code, (wear,) = device.call("replace_tool", [1])
    assert (code, wear) == (status.GOOD, pytest.approx(worn, rel=1e-6))
    assert device["tool_changes"] == changes + 1
    rig.run(0.1)
    assert device["tool1_wear"] == 0
    assert device.call("replace_tool", [9]) == (status.BAD_INVALID_ARGUMENT, ())
