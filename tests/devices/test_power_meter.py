from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.power_meter.network import solve
from labsim.plant import status
from labsim.plant.device import Device

PHASES = ("l1", "l2", "l3")
EXACT = 1e-12


def true(device: Device, name: str) -> float:
    """The value as the store has it, before a protocol rounds it to single precision."""
    return float(device.store.value[device.tags[name].row])


@pytest.mark.parametrize("lost", ["none", "L2"])
@pytest.mark.parametrize("solar", [0, 500])
def test_the_readings_agree_with_each_other(bench, lost: str, solar: float):
    """At every step: totals are sums of phases, S^2 = P^2 + Q^2 and S = U I per phase, PF = P/S, S >= |P|."""

    def check(d: Device) -> None:
        for kind in ("active", "reactive", "apparent"):
            total = true(d, f"{kind}_power_total")
            assert sum(true(d, f"{kind}_power_{p}") for p in PHASES) == pytest.approx(total, rel=EXACT)
        for p in (*PHASES, "total"):
            active, reactive, apparent = (true(d, f"{k}_power_{p}") for k in ("active", "reactive", "apparent"))
            assert apparent >= abs(active)
            if p != "total":
                assert apparent**2 == pytest.approx(active**2 + reactive**2, rel=EXACT)
                assert true(d, f"voltage_{p}") * true(d, f"current_{p}") / 1000 == pytest.approx(apparent, rel=EXACT)
            if apparent:
                assert true(d, f"power_factor_{p}") == pytest.approx(active / apparent, rel=EXACT)

    bench("power-meter", lost_phase=lost, solar=solar).run(60, check)


def test_line_voltages_and_the_neutral_current_follow_from_phasors(bench):
    """A line voltage lies within what two phase voltages 120 degrees apart can be, and an even load has no neutral current."""

    def check(d: Device) -> None:
        for a, b in (("1", "2"), ("2", "3"), ("3", "1")):
            ua, ub = true(d, f"voltage_l{a}"), true(d, f"voltage_l{b}")
            assert true(d, f"voltage_l{a}{b}") == pytest.approx(math.sqrt(ua * ua + ub * ub + ua * ub), rel=2e-3)
        assert true(d, "voltage_ln") == pytest.approx(sum(true(d, f"voltage_{p}") for p in PHASES) / 3, rel=EXACT)
        unbalance = max(true(d, f"current_{p}") for p in PHASES) - min(true(d, f"current_{p}") for p in PHASES)
        assert 0 < true(d, "current_n") < 1.5 * unbalance

    bench("power-meter").run(60, check)


def test_energy_is_the_integral_of_power_without_drift(bench):
    """Over forty minutes each energy register moves by the exact sum of power times time, to the last whole unit."""
    rig = bench("power-meter", solar=60, load=40)
    names = (
        "active_energy_delivered",
        "active_energy_received",
        "reactive_energy_delivered",
        "apparent_energy_delivered",
    )
    start, sums = {name: true(rig.device, name) for name in names}, dict.fromkeys(names, 0.0)

    def add(d: Device) -> None:
        active = true(d, "active_power_total")
        sums[names[active < 0]] += abs(active) / 36
        sums[names[2]] += max(true(d, "reactive_power_total"), 0) / 36000
        sums[names[3]] += true(d, "apparent_power_total") / 36000

    device = rig.run(2400, add)
    assert min(sums.values()) > 10
    for name, unit in zip(names, (1.0, 1.0, 0.001, 0.001), strict=True):
        assert true(device, name) - start[name] == pytest.approx(sums[name], abs=1.01 * unit)


def test_energy_counts_single_watt_hours_far_beyond_single_precision(bench):
    """At 900 GWh the register still counts every watt hour, where a float32 would have stopped."""
    seen = set()
    rig = bench("power-meter", energy_start=900_000_000_000, load=5)
    rig.run(60, lambda d: seen.add(int(d["active_energy_delivered"])))
    assert sorted(seen) == list(range(min(seen), max(seen) + 1))
    assert len(seen) > 50


def test_the_energy_register_rolls_over(bench):
    """At the rollover the register begins again at 0 and loses nothing."""
    rig = bench("power-meter", energy_start=999_900, energy_rollover=1_000_000)
    seen = []
    rig.run(60, lambda d: seen.append(int(d["active_energy_delivered"])))
    drop = [i for i in range(1, len(seen)) if seen[i] < seen[i - 1]]
    assert len(drop) == 1
    assert seen[drop[0]] < 10
    assert max(seen) < 1_000_000
    assert all(0 <= (b - a) % 1_000_000 < 10 for a, b in itertools.pairwise(seen))


def test_a_new_start_value_sets_the_register(bench):
    """Changing ``energy_start`` while the meter runs moves the register there."""
    rig = bench("power-meter")
    rig.run(1)
    rig.device.configure("energy_start", 5000)
    assert 5000 <= int(rig.run(0.1)["active_energy_delivered"]) <= 5005


def test_a_lost_phase_is_seen_and_marked(bench):
    """Its quantities are BadNotConnected, its bit is set, the rest stays Good; and all is Good again when it is back."""
    rig = bench("power-meter")
    rig.run(1)
    rig.device.configure("lost_phase", "L2")
    rig.run(0.1)
    bad = {name for name in rig.device.tags if rig.status(name) != status.GOOD}
    per_phase = {"voltage", "current", "active_power", "reactive_power", "apparent_power", "power_factor"}
    assert bad == {f"{name}_l2" for name in per_phase} | {"voltage_l12", "voltage_l23"}
    assert {rig.status(name) for name in bad} == {status.BAD_NOT_CONNECTED}
    assert [rig.device[f"phase_loss_{p}"] for p in PHASES] == [False, True, False]
    assert true(rig.device, "voltage_ln") == pytest.approx(230, rel=0.05)
    rig.device.configure("lost_phase", "none")
    rig.run(0.1)
    assert not any(rig.status(name) for name in rig.device.tags)


def test_the_relay_sheds_a_fifth_of_the_load(bench):
    """A client that switches the coil on sees the active power fall by the sheddable part in the next step."""
    rig, twin = bench("power-meter", seed=4), bench("power-meter", seed=4)
    assert rig.write("shed_load", value=True) == status.GOOD
    ratio = true(rig.run(0.1), "active_power_total") / true(twin.run(0.1), "active_power_total")
    assert ratio == pytest.approx(0.8, abs=0.005)


def test_solar_power_turns_the_sign_and_the_bit(bench):
    """With more sun than load the total is negative, power factor too, and ``exporting`` says so at every step."""
    signs = set()

    def check(d: Device) -> None:
        active = true(d, "active_power_total")
        signs.add(active < 0)
        assert d["exporting"] == (active < 0) == (true(d, "power_factor_total") < 0)

    bench("power-meter", solar=60, load=40).run(1200, check)
    assert signs == {True, False}


def test_a_motor_start_overloads_and_sags_the_feeder(bench):
    """In ten minutes a motor starts: the overload bit comes just when a phase exceeds the rated current, and voltage falls."""
    overloaded, calm = [], []

    def check(d: Device) -> None:
        assert d["overload"] == (max(true(d, f"current_{p}") for p in PHASES) > 160)
        (overloaded if d["overload"] else calm).append(true(d, "voltage_ln"))

    bench("power-meter", load=70).run(600, check)
    assert 10 < len(overloaded) < 600
    assert np.mean(overloaded) < np.mean(calm)


def test_readings_move_smoothly_and_never_repeat(bench):
    """Each step moves the last digits of voltage and frequency by little: a stuck value is a fault, never the model."""
    voltages, hertz = [], []
    bench("power-meter").run(
        120, lambda d: (voltages.append(true(d, "voltage_l1")), hertz.append(true(d, "frequency")))
    )
    for series, most in ((voltages, 8.0), (hertz, 0.01)):
        jumps = np.abs(np.diff(series))
        assert jumps.min() > 0
        assert jumps.max() < most
    assert all(49.9 < f < 50.1 for f in hertz)


@given(
    source=st.lists(st.one_of(st.just(0.0), st.floats(180, 260)), min_size=3, max_size=3),
    active=st.lists(st.floats(-400_000, 400_000), min_size=3, max_size=3),
    reactive=st.lists(st.floats(-200_000, 400_000), min_size=3, max_size=3),
)
def test_the_network_obeys_kirchhoff_and_ohm(source: list[float], active: list[float], reactive: list[float]):
    """For any load: source minus drop is the voltage, and the power taken is within 1 % of what was asked."""
    impedance = complex(0.01, 0.02) * 230 / 1000
    demand = [complex(p, q) for p, q in zip(active, reactive, strict=True)]
    phasors = solve(source, impedance, demand)
    assert phasors.neutral == pytest.approx(abs(sum(phasors.current)), abs=1e-9)
    for k in range(3):
        behind = phasors.voltage[k] + impedance * phasors.current[k]
        assert abs(behind) == pytest.approx(source[k], rel=1e-9)
        if source[k]:
            assert abs(phasors.power(k) * 1000 - demand[k]) <= 0.01 * abs(demand[k]) + 1e-6
        else:
            assert phasors.power(k) == 0
