"""The checks by name. A check is imported when it is first asked for; other packages add theirs by entry points.

An entry point in the group ``labsim.checks`` is called as its check and points at the class::

    [project.entry-points."labsim.checks"]
    "press.force" = "my_package.checks:PressForce"
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from grader.check import Check
from labsim.errors import UnknownNameError

GROUP = "labsim.checks"
REGISTRY = {
    "all": "grader.checks.compound:All",
    "answer": "grader.checks.answer:Answer",
    "any": "grader.checks.compound:AnyOf",
    "data.genuine": "grader.checks.genuine:Genuine",
    "fault.reported": "grader.checks.fault_report:Reported",
    "file.schema": "grader.checks.file_schema:FileSchema",
    "file.series": "grader.checks.file_series:FileSeries",
    "file.values": "grader.checks.file:FileValues",
    "http.requested": "grader.checks.http:Requested",
    "kpi.energy": "grader.checks.kpi_energy:Energy",
    "kpi.oee": "grader.checks.kpi_oee:Oee",
    "modbus.exception": "grader.checks.modbus:MetException",
    "modbus.exceptions": "grader.checks.modbus_exceptions:Exceptions",
    "modbus.never": "grader.checks.never:ModbusNever",
    "modbus.order": "grader.checks.modbus_order:Order",
    "modbus.polled": "grader.checks.polling:Polled",
    "modbus.rate": "grader.checks.modbus_rate:Rate",
    "modbus.read": "grader.checks.modbus:Read",
    "modbus.wrote": "grader.checks.modbus:Wrote",
    "mqtt.by-exception": "grader.checks.mqtt_pace:ByException",
    "mqtt.connected": "grader.checks.mqtt_client:Connected",
    "mqtt.latency": "grader.checks.mqtt_pace:Latency",
    "mqtt.matches-truth": "grader.checks.truthful:MatchesTruth",
    "mqtt.never": "grader.checks.never:MqttNever",
    "mqtt.points": "grader.checks.mqtt_points:Points",
    "mqtt.published": "grader.checks.mqtt:Published",
    "mqtt.rate": "grader.checks.mqtt_pace:Rate",
    "mqtt.replied": "grader.checks.mqtt_reply:Replied",
    "mqtt.retained": "grader.checks.mqtt_retained:Retained",
    "mqtt.session": "grader.checks.mqtt_session:PersistentSession",
    "mqtt.subscribed": "grader.checks.mqtt_filter:Subscribed",
    "mqtt.told": "grader.checks.mqtt_told:Told",
    "mqtt.will": "grader.checks.mqtt_will:PublishedWill",
    "opcua.acknowledged": "grader.checks.opcua_alarm:Acknowledged",
    "opcua.browsed": "grader.checks.opcua_browse:Browsed",
    "opcua.called": "grader.checks.opcua_call:Called",
    "opcua.certificate": "grader.checks.opcua_certificate:Certificate",
    "opcua.closed": "grader.checks.opcua_end:Closed",
    "opcua.condition": "grader.checks.opcua_condition:Condition",
    "opcua.history-read": "grader.checks.opcua_history:HistoryRead",
    "opcua.listened": "grader.checks.opcua_events:Listened",
    "opcua.never": "grader.checks.opcua_never:OpcuaNever",
    "opcua.no-session": "grader.checks.opcua_end:NoSession",
    "opcua.not-polled": "grader.checks.opcua_polling:NotPolled",
    "opcua.read": "grader.checks.opcua:Read",
    "opcua.session": "grader.checks.opcua:Session",
    "opcua.subscribed": "grader.checks.subscription:Subscribed",
    "opcua.wrote": "grader.checks.opcua:Wrote",
    "plant.held": "grader.checks.plant:Held",
    "plant.never": "grader.checks.plant:Never",
    "probe.modbus": "grader.checks.probe:ModbusProbe",
    "probe.mqtt": "grader.checks.probe:MqttProbe",
    "probe.opcua": "grader.checks.probe:OpcuaProbe",
    "python": "grader.checks.script:Script",
    "quality.labelled": "grader.checks.quality:Labelled",
    "rogue.contained": "grader.checks.rogue_contained:Contained",
    "rogue.named": "grader.checks.rogue:Named",
    "some": "grader.checks.compound:SomeOf",
    "sparkplug.conformant": "grader.checks.sparkplug:Conformant",
    "sparkplug.metric": "grader.checks.sparkplug_metric:MetricTruth",
}


def names() -> list[str]:
    """Names of all checks installed here."""
    return sorted({*REGISTRY, *(point.name for point in entry_points(group=GROUP))})


@cache
def load(name: str) -> type[Check[Any]]:
    """The class of a check; ours before those of entry points with the same name.

    Raises:
        UnknownNameError: no such check.
    """
    if name in REGISTRY:
        module, _, attribute = REGISTRY[name].partition(":")
        found: type[Check[Any]] = getattr(import_module(module), attribute)
        return found
    for point in entry_points(group=GROUP):
        if point.name == name:
            theirs: type[Check[Any]] = point.load()
            return theirs
    raise UnknownNameError("check", name, names())
