from __future__ import annotations

from itertools import pairwise

import pytest

from devices.cold_room_logger.air import density, door_flow, enthalpy, humidity, saturation
from devices.cold_room_logger.room import COIL_K, EVAPORATION_KJ_KG, Outside, Room
from labsim.plant import status

QUIET = {"door_interval": 0, "radio_loss": 0, "defrost_interval": 86400}


def occurrences(rig, name):
    """What the device told under a name."""
    return [one for one in rig.plant.events if one.name == name]


def test_moist_air_is_that_of_the_psychrometric_chart():
    """At 20 °C saturated air holds 14.7 g/kg and has 57.5 kJ/kg; dry air of 20 °C weighs 1.204 kg/m³."""
    assert saturation(20) == pytest.approx(0.0147, rel=0.01)
    assert enthalpy(20, saturation(20)) == pytest.approx(57.5, rel=0.01)
    assert density(20, 0) == pytest.approx(1.204, rel=0.001)
    assert humidity(20, saturation(20)) == pytest.approx(100)


def test_the_door_lets_in_what_gosney_and_olama_say():
    """2 m x 2.5 m, 1.27 against 1.16 kg/m³: 0.221 A rho (1 - 0.913)^0.5 (g H)^0.5 F_m, and nothing without a difference."""
    expected = (
        0.221 * 5 * 1.27 * (0.11 / 1.27) ** 0.5 * (9.81 * 2.5) ** 0.5 * (2 / (1 + (1.27 / 1.16) ** (1 / 3))) ** 1.5
    )
    assert door_flow(1.27, 1.16, 2, 2.5) == pytest.approx(expected)
    assert door_flow(1.16, 1.27, 2, 2.5) == pytest.approx(expected), "a warm room loses air to a cold dock as well"
    assert door_flow(1.2, 1.2, 2, 2.5) == 0


def test_a_room_left_alone_goes_to_the_temperature_outside():
    """Without cooling and product the air follows outside by C / UA: 63 % of the way after one time constant."""
    room = Room(300, 0, 4, 0.003, 4, 4)
    outside, tau = Outside(24, 0.003, 0, 2.5), room.capacity / room.conductance
    for _ in range(round(tau)):
        room.advance(1, outside, rated_kw=18, running=False, defrosting=False)
    assert room.temperature == pytest.approx(4 + 20 * 0.632, abs=0.3)


def test_heat_is_conserved():
    """What product, air and fittings gained is what came in, less what was taken out, with the door open and the coil cold."""
    room = Room(300, 5000, 6, 0.004, 4, 4 - COIL_K)
    outside = Outside(22, 0.010, 0.5, 2.5)
    balance = 0.0
    before = room.capacity * room.temperature + 3.5 * room.product * room.core
    for _ in range(6000):
        exchange = room.exchange(outside)
        sensible = (room.conductance + exchange * 1.006) * (outside.temperature - room.temperature)
        frost = room.frost
        room.advance(0.1, outside, rated_kw=18, running=True, defrosting=False)
        balance += 0.1 * (sensible + 0.5 - room.cooling) + EVAPORATION_KJ_KG * (room.frost - frost)
    after = room.capacity * room.temperature + 3.5 * room.product * room.core
    assert after - before == pytest.approx(balance, rel=0.02)


def test_the_thermostat_keeps_the_room_within_its_hysteresis(bench):
    """With the door closed, an hour and a half stays within a few tenths of 4 +- 1 °C, and the compressor rests between runs."""
    rig, seen, changes = bench("cold-room-logger", **QUIET | {"product_mass": 0}), [], []

    def watch(d):
        seen.append(d._room.temperature)
        if not changes or changes[-1][1] != d["compressor_running"]:
            changes.append((d.now_s, d["compressor_running"]))

    device = rig.run(5400, watch)
    assert 2.7 < min(seen) < 3.1
    assert 4.9 < max(seen) < 5.3
    assert device["compressor_starts"] == sum(running for _, running in changes) >= 1
    stops = [b[0] - a[0] for a, b in pairwise(changes) if b[1]]
    assert min(stops) >= 120


def test_a_defrost_frees_the_coil_and_warms_the_room(bench):
    """After half an hour the heater runs until the frost is gone, and no compressor beside it."""
    rig = bench("cold-room-logger", **(QUIET | {"defrost_interval": 1800}))
    rig.device._room.frost = 2.0
    rig.run(1801)
    assert rig.device["defrosting"]
    while rig.device["defrosting"]:
        assert not rig.device["compressor_running"]
        rig.run(0.1)
    assert rig.device._room.frost == 0
    assert 300 <= rig.device.now_s - 1800 <= 1801


def test_each_door_opening_is_told_at_both_ends(bench):
    """In an hour the events come in pairs, add up to the counters, and heat comes in only while the door is open."""
    rig = bench("cold-room-logger", door_interval=120)
    gains = {True: [], False: []}
    device = rig.run(3600, lambda d: gains[bool(d["door_open"])].append(float(d["heat_gain"])))
    opened, closed = occurrences(rig, "DoorOpened"), occurrences(rig, "DoorClosed")
    assert len(opened) == device["door_openings"] > 10
    assert len(opened) - len(closed) == device["door_open"]
    told = sum(float(one.fields["Seconds"]) for one in closed)
    assert told == pytest.approx(float(device["door_open_time"]), abs=0.2 * len(closed) + 60 * device["door_open"])
    assert min(gains[True]) > 2 * max(gains[False])


def test_a_door_left_open_is_an_excursion_after_ten_minutes_above_the_limit(bench):
    """The excursion begins 10 min after 8 °C was passed, once, and ends when it is cold again; the alarm follows."""
    rig = bench("cold-room-logger", **QUIET | {"curtain": 0, "product_mass": 0})
    rig.device.begin_fault("door-open", {})
    above, began = [], []

    def watch(d):
        if float(d["temperature"]) > 8 and not above:
            above.append(d.now_s)
        if d["excursion"] and not began:
            began.append(d.now_s)

    rig.run(1200, watch)
    assert began[0] - above[0] >= 600
    assert rig.device["excursion"]
    rig.device.end_fault("door-open")
    device = rig.run(2400)
    assert not device["excursion"]
    assert float(device["temperature"]) <= 7.5
    assert rig.plant.alarms["d1.excursion"] is not None
    assert [one.alarm.active for one in occurrences(rig, "excursion")] == [True, False]


def test_the_compressor_fault_and_a_dead_supply_stop_the_cooling(bench):
    """Nothing starts while either holds, and the room warms."""
    rig = bench("cold-room-logger", **QUIET | {"product_mass": 0})
    rig.device.begin_fault("compressor-off", {})
    assert rig.run(2700)["compressor_starts"] == 0
    assert float(rig.device["temperature"]) > 5.4
    rig.device.end_fault("compressor-off")
    (supply,) = rig.device.supplies("power")
    supply.level = 0.0
    assert not rig.run(5)["compressor_running"]
    supply.level = 1.0
    assert rig.run(5)["compressor_running"]
    assert supply.demand == pytest.approx(float(rig.device["power"]), rel=0.01)
    assert supply.demand > 2


def test_after_a_gap_every_record_comes_late_with_its_own_time(bench):
    """Ten minutes without radio: what was received goes bad, then all records come in order, each as old as it says."""
    rig = bench("cold-room-logger", **QUIET)
    rig.run(125)
    assert rig.device["record_number"] == 3
    rig.device.begin_fault("radio-gap", {})
    device = rig.run(600)
    assert (device["record_number"], device["pending_records"]) == (3, 10)
    assert rig.status("record_temperature") == status.BAD_NO_COMMUNICATION
    assert rig.status("temperature") == status.GOOD
    rig.device.end_fault("radio-gap")
    device = rig.run(12)
    assert device["pending_records"] == 0
    assert rig.status("record_temperature") == status.GOOD
    got = occurrences(rig, "RecordReceived")
    assert [one.fields["Number"] for one in got] == list(range(1, 14))
    for one in got:
        made = (int(one.fields["Number"]) - 1) * 60
        assert one.t_ns / 1e9 - float(one.fields["Age"]) == pytest.approx(made, abs=0.2)
    assert max(float(one.fields["Age"]) for one in got) > 500


def test_a_lossy_radio_loses_no_record(bench):
    """With every third transmission failing, records are late and all there, once each and in order."""
    rig = bench("cold-room-logger", **QUIET | {"radio_loss": 33, "log_interval": 10})
    rig.run(3600)
    numbers = [one.fields["Number"] for one in occurrences(rig, "RecordReceived")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 358
    assert any(float(one.fields["Age"]) > 2 for one in occurrences(rig, "RecordReceived"))


def test_the_window_shows_the_record_that_was_asked_for(bench):
    """A number in the memory shows that record; one that is not there makes the window bad."""
    rig = bench("cold-room-logger", **QUIET | {"log_interval": 10})
    rig.run(100)
    assert rig.status("selected_time") == status.BAD_OUT_OF_RANGE
    assert rig.write("record_select", 4) == status.GOOD
    device = rig.run(0.1)
    assert (device["selected_number"], device["selected_time"]) == (4, 30)
    assert rig.status("selected_temperature") == status.GOOD
    assert rig.write("record_select", 4000) == status.GOOD
    rig.run(0.1)
    assert rig.status("selected_number") == status.BAD_OUT_OF_RANGE


def test_a_full_memory_pushes_out_the_oldest(bench):
    """After 2,000 records and a long gap the oldest is gone, and what is delivered begins with the oldest that is left."""
    rig = bench("cold-room-logger", **QUIET | {"log_interval": 10})
    rig.device.begin_fault("radio-gap", {})
    for _ in range(2010):  # records without the physics between
        rig.device._record_due_s = rig.device.now_s
        rig.device._record()
    rig.device.end_fault("radio-gap")
    device = rig.run(0.1)
    assert int(device["oldest_record"]) == int(device["newest_record"]) - 1999
    assert device["record_number"] == device["oldest_record"]


def test_a_low_battery_silences_the_radio_and_nothing_else(bench):
    """At 3 % nothing is sent, records go on; with a new battery they come."""
    rig = bench("cold-room-logger", **QUIET)
    rig.device.begin_fault("battery-low", {"level": 3.0})
    device = rig.run(290)
    assert (device["radio_connected"], device["battery"], device["record_number"]) == (False, 3.0, 0)
    assert device["newest_record"] == 5
    rig.device.end_fault("battery-low")
    assert rig.run(8)["record_number"] == 5
