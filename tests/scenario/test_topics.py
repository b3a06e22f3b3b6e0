"""How devices speak over MQTT, as a scenario says it."""

from __future__ import annotations

import pytest

from labsim.scenario.load import lint_scenario, load_scenario
from labsim.scenario.topics import deepest_level, place_depth

ENDPOINT = "  - modbus: {port: 5020"


def with_mqtt(write, mqtt: str, place: str = ""):
    """The good scenario with one more endpoint, and the meter at a place."""
    changes = [(ENDPOINT, f"  - mqtt: {mqtt}\n{ENDPOINT}")]
    if place:
        changes.append(("meter1: {type: power-meter,", f"meter1: {{type: power-meter, place: {place},"))
    return write(*changes)


@pytest.mark.parametrize(
    "mqtt",
    [
        "{devices: [meter1], style: tag}",
        '{devices: [meter1], style: tag, topic: "{enterprise}/{site}/{device}/{tag}", commands: "{place}/{device}/{tag}/set"}',
        '{devices: [meter1], topic: "{area}/{device}/{message}"}',
        "{devices: [meter1], style: sparkplug, sparkplug: {group: Plant 1, edge: Line1, primary_host: scada, alias: false}}",
        '{devices: [meter1], style: sparkplug, sparkplug: {group: "G${unit}", edge: E}, commands: "{device}/{tag}"}',
    ],
)
def test_each_style_has_its_keys(write, catalogue, mqtt):
    """Templates with the levels of the place, commands beside Sparkplug, ids with blanks and drawn values."""
    folder = with_mqtt(write, mqtt, "acme/hk1/assembly")
    assert lint_scenario(folder, catalogue) == []
    assert load_scenario(folder, seed=1, catalogue=catalogue).endpoints[0].mqtt is not None


@pytest.mark.parametrize(
    ("mqtt", "place", "code", "said"),
    [
        ("{style: sparkplug}", "", "bad-value", "belong together"),
        ("{sparkplug: {group: G, edge: E}}", "", "bad-value", "belong together"),
        ("{style: sparkplug, sparkplug: {group: G/1, edge: E}}", "", "bad-value", "no Sparkplug id"),
        ("{style: sparkplug, sparkplug: {group: G, edge: E}, topic: x}", "", "bad-value", "leave 'topic' out"),
        ('{style: tag, topic: "{device}"}', "", "bad-value", "{tag} belongs"),
        ('{topic: "{device}/{tag}"}', "", "bad-value", "{tag} belongs"),
        ('{topic: "{devise}"}', "", "bad-value", "Did you mean 'device'"),
        ('{topic: "{device"}', "", "bad-value", "unpaired"),
        ('{topic: "a/#"}', "", "bad-value", "wildcard"),
        ('{commands: "{device}/set"}', "", "bad-value", "needs {device} and {tag}"),
        ('{commands: "{device}/{tag}/{message}"}', "", "bad-value", "belongs to no message"),
        ('{devices: [meter1], topic: "{cell}/{device}/{message}"}', "acme/hk1", "missing-place", "meter1 has no cell"),
        ('{devices: [meter1], commands: "{place}/{device}/{tag}"}', "", "missing-place", "meter1 has no enterprise"),
        ("{devices: [meter1]}", "acme//x", "bad-value", "of the form"),
    ],
)
def test_what_does_not_fit_is_said_where_it_stands(write, catalogue, mqtt, place, code, said):
    """Styles that miss or mix their keys, templates that nothing fills in, places that are not deep enough."""
    problems = lint_scenario(with_mqtt(write, mqtt, place), catalogue)
    assert [problem.code for problem in problems] == [code]
    assert said in f"{problems[0].message} {problems[0].hint}"
    assert problems[0].line


def test_a_place_may_be_drawn(write, catalogue):
    """A variant is filled in before the place is looked at."""
    folder = with_mqtt(write, '{devices: [meter1], topic: "{site}/{device}/{message}"}', '"acme/${order}"')
    assert lint_scenario(folder, catalogue) == []
    scenario = load_scenario(folder, seed=1, catalogue=catalogue)
    assert scenario.plant["meter1"].place == f"acme/{scenario.drawn['order']}"


def test_levels_are_counted():
    """A template needs its deepest level, a place has as many as it has names."""
    assert [deepest_level(t) for t in ("x", "{site}", "{site}/{enterprise}", "{cell}", "{place}", "{")] == [
        0,
        2,
        2,
        5,
        1,
        0,
    ]
    assert [place_depth(p) for p in ("", "a", "a/b/c")] == [0, 1, 3]
