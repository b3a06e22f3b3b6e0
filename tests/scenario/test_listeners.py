"""Ports of all listeners, and tags that endpoints name."""

from __future__ import annotations

import pytest

MQTT = "  - opcua:\n      port: 4840\n"
UNITS = 'units: {"${unit}": meter1}'


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("{port: 5020}", "5020}"),
        ("{port: 1883, tls: {port: 5020}}", "5020}}"),
        ("{port: 1883, websocket: {port: 4840}}", "4840}}"),
        ("{port: 8883, tls: {}}", "tls: {}}"),
        ("{port: 1883, tls: {port: 9001}, websocket: {port: 9001}}", "9001}}"),
    ],
)
def test_no_two_listeners_share_a_port(told, spec, place):
    """Nor do those for TLS and WebSocket, with each other or with another endpoint, given or by default."""
    assert told(("timeline:\n", f"  - mqtt: {spec}\ntimeline:\n")) == [("duplicate-port", place)]


def test_a_watchdog_names_tags_of_its_device(told):
    """What it sets on expiry, and what resets it, are tags."""
    good = "watchdogs: {meter1: {time: 5 s, safe: {voltage: 0}, recovery: reset, reset: current}}"
    assert told((UNITS, f"{UNITS}, {good}")) == []
    problems = told((UNITS, f"{UNITS}, {good.replace('voltage', 'voltag').replace('reset: current', 'reset: curent')}"))
    assert [(code, at.split(":")[0].split("}")[0]) for code, at in problems] == [
        ("unknown-tag", "voltag"),
        ("unknown-tag", "curent"),
    ]


def test_rights_name_tags_of_their_device(told):
    """A right for a tag is about one that the device has; a node by its path is judged when the lab is built."""
    rights = "      rights: {{mill1: {{read: [Operator]}}, mill1/Job: {{call: [Operator]}}, mill1.{}: {{write: [Engineer]}}}}\n"
    assert told((MQTT, MQTT + rights.format("speed"))) == []
    assert [code for code, _ in told((MQTT, MQTT + rights.format("sped")))] == ["unknown-tag"]
