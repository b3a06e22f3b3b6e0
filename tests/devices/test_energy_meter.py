from __future__ import annotations

import math
import struct

import pytest

from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.plant import status
from labsim.plant.device import Device

PHASES = ("l1", "l2", "l3")
EXACT = 1e-12


def true(device: Device, name: str) -> float:
    """The value as the store has it, before a protocol rounds it to single precision."""
    return float(device.store.value[device.tags[name].row])


@pytest.mark.parametrize(("lost", "solar"), [("none", 0), ("L2", 0), ("none", 400)])
def test_powers_fit_each_other_with_harmonics(bench, lost: str, solar: float):
    """At every step: S = U I, S^2 = P^2 + Q^2 + D^2 with the distortion of both, totals are sums, PF = |P| / S."""

    def check(d: Device) -> None:
        for p in PHASES:
            u, i, s, active, reactive = (
                true(d, f"{name}_{p}")
                for name in ("voltage", "current", "apparent_power", "active_power", "reactive_power")
            )
            tu, ti = true(d, f"thd_voltage_{p}") / 100, true(d, f"thd_current_{p}") / 100
            assert u * i == pytest.approx(s, rel=EXACT)
            fundamental = math.hypot(active, reactive)
            assert s == pytest.approx(fundamental * math.sqrt((1 + tu * tu) * (1 + ti * ti)), rel=1e-9)
            if s:
                assert true(d, f"power_factor_{p}") == pytest.approx(abs(active) / s, rel=EXACT)
        for kind in ("active", "reactive", "apparent"):
            total = true(d, f"{kind}_power_total")
            assert sum(true(d, f"{kind}_power_{p}") for p in PHASES) == pytest.approx(total, rel=EXACT)

    bench("energy-meter", lost_phase=lost, solar=solar).run(30, check)


def test_harmonics_lower_the_power_factor_and_nothing_else(bench):
    """The same feeder with rectifiers has the same active power, and a power factor that is lower by sqrt(1 + THD^2)."""
    clean, dirty = (bench("energy-meter", seed=5, harmonics=h).run(5) for h in (0, 50))
    assert true(clean, "active_power_total") == pytest.approx(true(dirty, "active_power_total"), rel=EXACT)
    assert 1.05 < true(clean, "power_factor_l1") / true(dirty, "power_factor_l1") < 1.25
    assert true(clean, "thd_current_l1") == 0
    assert true(clean, "voltage_ln") == pytest.approx(true(dirty, "voltage_ln"), rel=2e-3)


def test_energy_and_period_are_the_integral_of_power(bench):
    """Over ten minutes of change of direction, counters and the mean powers of the period are the sums of power times time."""
    rig = bench("energy-meter", solar=130, period=600)
    names = ("active_import_energy_t1", "active_export_energy_t1", "apparent_energy_t1")
    before, sums, powers = {n: true(rig.device, n) for n in names}, dict.fromkeys(names, 0.0), []

    def add(d: Device) -> None:
        power = true(d, "active_power_total")
        powers.append(power)
        sums[names[power < 0]] += abs(power) / 36000
        sums[names[2]] += true(d, "apparent_power_total") / 36_000_000

    device = rig.run(600, add)
    assert min(sums.values()) > 1
    for name in names:
        assert true(device, name) - before[name] == pytest.approx(sums[name], rel=1e-6)
    assert true(device, "period_import") == pytest.approx(sums[names[0]] * 6, rel=1e-9)
    assert true(device, "period_export") == pytest.approx(sums[names[1]] * 6, rel=1e-9)
    assert (true(device, "period_max"), true(device, "period_min")) == (max(powers), min(powers))
    assert device["period_elapsed"] == 0


def test_one_tariff_counts_at_a_time(bench):
    """The digital input chooses the counters; those of the other tariff stand still."""
    rig = bench("energy-meter")
    rig.run(10)
    rig.device.configure("tariff", "T2")
    before = {n: true(rig.device, n) for n in ("active_import_energy_t1", "active_import_energy_t2")}
    device = rig.run(10)
    assert device["digital_inputs"] == 1
    assert true(device, "active_import_energy_t1") == before["active_import_energy_t1"]
    assert true(device, "active_import_energy_t2") > before["active_import_energy_t2"]


def test_a_client_can_overwrite_a_counter_which_counts_on_from_there(bench):
    """The family lets anybody set its energy counters: billing data are gone, and counting goes on."""
    rig = bench("energy-meter")
    rig.run(10)
    assert rig.write("active_import_energy_t1", 0.0) == status.GOOD
    assert rig.write("operating_time", 7) == status.GOOD
    device = rig.run(10)
    assert true(device, "active_import_energy_t1") == pytest.approx(
        true(device, "active_power_total") * 10 / 3600, rel=0.2
    )
    assert device["operating_time"] == 17


def test_counters_roll_over_at_a_terawatt_hour(bench):
    """At 10^12 Wh the counter begins again at 0."""
    rig = bench("energy-meter")
    assert rig.write("active_import_energy_t1", 999_999_999_999.0) == status.GOOD
    assert 0 < true(rig.run(5), "active_import_energy_t1") < 1000


def test_a_lost_phase_is_marked(bench):
    """Its quantities and both its line voltages are BadNotConnected, the diagnostic bit is set, the rest stays Good."""
    rig = bench("energy-meter", lost_phase="L1")
    rig.run(1)
    bad = {name for name in rig.device.tags if rig.status(name) != status.GOOD}
    kinds = ("voltage", "current", "apparent_power", "active_power", "reactive_power", "power_factor")
    assert bad == {f"{k}_l1" for k in (*kinds, "thd_voltage", "thd_current")} | {"voltage_l12", "voltage_l31"}
    assert rig.device["diagnostics"] == 1


def test_both_functions_read_the_same_map_in_whole_values(bench):
    """Functions 03 and 04 find each value at the printed offset; a read of half a value, or of half a double, is refused."""
    device = bench("energy-meter").run(1)
    places = RegisterMap(device, device.store)
    for offset, count, tag in (
        (1, 2, "voltage_l1"),
        (65, 2, "active_power_total"),
        (801, 4, "active_import_energy_t1"),
    ):
        spans = [places.span(table, offset, count) for table in ("holding", "input")]
        assert [span.tags for span in spans] == [[f"d1.{tag}"]] * 2
        assert spans[0].read() == spans[1].read()
        assert not places.span("holding", offset, count - 1).readable
        assert not places.span("input", offset + 1, 1).readable
    assert struct.unpack(">d", places.span("holding", 801, 4).read()[0])[0] == device["active_import_energy_t1"]
    kilo = struct.unpack(">d", places.span("holding", 817, 4).read()[0])[0]
    assert kilo == pytest.approx(1000 * float(device["reactive_import_energy_t1"]), rel=EXACT)
