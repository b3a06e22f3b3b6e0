from __future__ import annotations

import json

import pytest

import devices
from devices.rfid_gate import epc_of
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

CLEAN = {"miss_rate": 0, "double_rate": 0}


def reads(rig) -> list[dict]:
    """Fields of every read that was told, with its time."""
    return [{**one.fields, "t": one.t_ns / 1e9} for one in rig.plant.events if one.name == "TagRead"]


def test_an_epc_is_a_gid_96_of_the_identity():
    """Header 35, manager, class of the stem, serial from the digits; other identities have other EPCs, the URI says the same."""
    epc, uri = epc_of("load1-00042")
    number = int(epc, 16)
    assert (len(epc), number >> 88, number >> 60 & (1 << 28) - 1, number & (1 << 36) - 1) == (24, 0x35, 4660, 42)
    assert uri == f"urn:epc:id:gid:4660.{number >> 36 & (1 << 24) - 1}.42"
    assert len({epc_of(f"{stem}{n}")[0] for stem in ("a-", "b-") for n in range(100)}) == 200
    assert epc_of("no digits")[1].endswith(".0")


def test_every_part_is_told_once(bench):
    """Without misses and doubles, and with the filter, an hour of parts gives one read each, with what the part carries."""
    rig = bench("rfid-gate", **CLEAN)
    device = rig.run(3600)
    got = reads(rig)
    left = int(device["parts_passed"]) - bool(device["part_present"])
    assert left > 200
    assert len({one["Epc"] for one in got}) == len(got) == device["reads"]
    assert len(got) >= 0.995 * left
    assert float(device["read_rate"]) == pytest.approx(100 * int(device["parts_read"]) / left)
    for one in got:
        assert (one["Epc"], one["Uri"]) == epc_of(one["Data"])
        assert one["Antenna"] in (1, 2)
        assert -65 <= one["Rssi"] <= -10
    assert json.loads(str(device["recent_reads"]))[-1]["epc"] == device["last_epc"] == got[-1]["Epc"]


def test_without_a_filter_every_round_is_told(bench):
    """One part gives several reads, strongest in the middle of the gate."""
    rig = bench("rfid-gate", **CLEAN, filter=0, gap=0)
    rig.run(300)
    by_tag: dict[str, list[dict]] = {}
    for one in reads(rig):
        by_tag.setdefault(one["Epc"], []).append(one)
    counts = [len(group) for group in by_tag.values()]
    assert sum(counts) / len(counts) > 5
    assert max(counts) <= 16
    edge = [group[0]["Rssi"] for group in by_tag.values()]
    best = [max(one["Rssi"] for one in group) for group in by_tag.values()]
    assert sum(best) / len(best) > sum(edge) / len(edge) + 3


@pytest.mark.parametrize(("rate", "low", "high"), [(20, 0.12, 0.28), (100, 1, 1)])
def test_missed_reads_come_at_their_rate(bench, rate, low, high):
    """Parts go through uncounted by the reader, and the photo-eye has them all the same."""
    rig = bench("rfid-gate", **CLEAN, gap=1)
    rig.device.begin_fault("missed-read", {"rate": rate})
    device = rig.run(2400)
    left = int(device["parts_passed"]) - bool(device["part_present"])
    assert low <= (left - int(device["parts_read"])) / left <= high


def test_double_reads_come_after_the_part_has_left(bench):
    """At 100 % each tag is told twice, the second time 1 to 8 s after it left, though the filter would not let it."""
    rig = bench("rfid-gate", **CLEAN)
    rig.device.begin_fault("double-read", {"rate": 100})
    rig.run(600)
    first: dict[str, float] = {}
    twice = 0
    for one in reads(rig):
        if one["Epc"] in first:
            assert 1 < one["t"] - first[one["Epc"]] < 8 + 3.3
            twice += 1
        first.setdefault(one["Epc"], one["t"])
    assert len(first) - 2 <= twice <= len(first)


def test_stopped_or_without_power_it_reads_nothing_and_lets_pass(bench):
    """By method, by tag, or by the supply."""
    rig = bench("rfid-gate", **CLEAN, gap=1)
    assert rig.device.call("scan_stop", [])[0] == status.GOOD
    device = rig.run(60)
    assert int(device["parts_passed"]) > 5
    assert device["reads"] == 0
    rig.device.call("scan_start", [])
    (supply,) = device.supplies("power")
    supply.level = 0.0
    assert rig.run(60)["reads"] == 0
    assert (device["reader_on"], supply.demand) == (False, 0.0)
    supply.level = 1.0
    assert rig.run(60)["reads"] > 5
    assert rig.write("reading", value=False) == status.GOOD
    before = device["reads"]
    assert rig.run(60)["reads"] == before


def test_less_power_reads_less(bench):
    """At 10 dBm most tags are not heard, at 30 dBm nearly all are."""
    rig = bench("rfid-gate", **CLEAN, gap=1)
    assert rig.write("transmit_power", 10) == status.GOOD
    assert float(rig.run(300)["read_rate"]) < 60


def test_a_part_that_cannot_leave_is_read_again():
    """With the lane behind it full it stands in the gate, blocked, and is told once for each time of the filter."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("gate1", devices.load("rfid-gate"), {**CLEAN, "filter": 10, "gap": 0})
    plant.add("agv1", devices.load("agv"))
    plant.connect("gate1.parts_out", "agv1.parts_in", buffer=1)
    plant.start()
    for _ in range(1200):
        plant.advance()
    gate = plant.devices["gate1"]
    assert gate["blocked"]
    assert gate["parts_passed"] == 2
    (waiting,) = gate.lane("parts_out").parts
    assert waiting.marks["epc"] == epc_of(waiting.identity)[0]
    assert waiting.trail[0][0] == "gate1"
    assert 10 <= int(gate["reads"]) <= 14
