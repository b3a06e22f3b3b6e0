# ruff: noqa: D103 - a fault is named by the table
"""A trainee's edge node: a good one passes every assertion, each fault breaks exactly what it should."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from grader_bench import Bench
from sparkplug_bench import EDGE, GROUP, HOST, Node, good_node, ms

from grader.checks.sparkplug import ConformantParams
from grader.outcome import State
from grader.sparkplug.__main__ import catalogue, report
from grader.sparkplug.assertion import SETS, Finding, Verdict, judge
from grader.sparkplug.story import read_story
from labsim.endpoints.mqtt.evidence import describe
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import REBIRTH, Metric, Payload, PropertyValue, bd_seq, encode

ALL = {"group": GROUP, "edge": EDGE, "host": HOST, "sets": list(SETS)}
FLOW = "message-flow-edge-node-birth-publish"
DFLOW = "message-flow-device-birth-publish"
COMMANDS = "operational-behavior-data-commands"
PUBLISH = "operational-behavior-data-publish"
ENDS = "operational-behavior-edge-node"


def findings(bench: Bench, node: Node) -> list[Finding]:
    """Every finding about a node."""
    node.play(bench)
    return judge(read_story(bench.evidence, GROUP, EDGE, HOST))


def test_a_good_node_passes_every_assertion(bench: Bench) -> None:
    """All of them are put to the test, none is in doubt, and the record that bears each out is named."""
    found = findings(bench, good_node())
    assert [(f.id, f.why.say()) for f in found if f.verdict is not Verdict.PASS or f.warnings] == []
    assert all(f.evidence for f in found)
    assert {f.set for f in found} == set(SETS)
    assert len({f.id for f in found}) == len(found) > 130


def payload(act) -> Payload:
    """The payload of a publish."""
    assert isinstance(act.payload, Payload)
    return act.payload


def metric(act, name: str) -> Metric:
    """A metric of a birth."""
    found = payload(act).get(name)
    assert found is not None
    return found


def will(node: Node, n: int = 0) -> dict:
    """The will of the n-th CONNECT."""
    return node.of("connect", n).detail["will"]


def new_will(node: Node, change: Callable[[Payload], object], n: int = 0) -> None:
    """Another payload in the will of the n-th CONNECT, and in the death that goes with it."""
    message = Payload(timestamp=ms(2), metrics=[bd_seq(n, ms(2))])
    change(message)
    text, facts = describe(encode(message))
    will(node, n).pop("binary", None)
    will(node, n).update(payload=text, **facts)


def drop(node: Node, act) -> None:
    """Leave something out."""
    node.acts.remove(act)


def again(node: Node, session: str) -> None:
    """Number the messages of a session anew."""
    seq = 0
    for act in node.acts:
        if act.session == session and act.verb not in ("", "NDEATH"):
            seq = 0 if act.verb == "NBIRTH" else (seq + 1) % 256
            payload(act).seq = seq


def move(node: Node, act, t: float) -> None:
    """Do something at another time."""
    node.acts.remove(act)
    act.t = t
    node.acts.insert(next((n for n, other in enumerate(node.acts) if other.t > t), len(node.acts)), act)


def repeat(node: Node) -> None:
    """The same voltage once more."""
    node.seq = 4
    node.data(32, "s2", 234.0)
    move(node, node.acts[-1], 32)


def not_first(node: Node) -> None:
    node.add(2.5, "s1", topic="hello", payload=b"x")


def template(act) -> object:
    """The instance in a DBIRTH."""
    return metric(act, "pump").value[1]


def definition(act) -> object:
    """The definition in an NBIRTH."""
    return metric(act, "Motor").value[1]


def table(act) -> object:
    """The data set in a DBIRTH."""
    return metric(act, "log").value[1]


def two_at_once(node: Node) -> None:
    node.connect(4.5, "x1", 7)
    for act in node.acts[-5:]:
        act.app = act.app and "twin"
    node.acts.append(node.acts.pop())
    node.seq = 0
    node.births(4.6, "x1", 7)
    for act in node.acts[-3:]:
        act.app = "twin"
    node.add(4.7, "x1", kind="close", app="twin", detail={"clean": False})


def early_data(node: Node) -> None:
    act = node.find("DDATA", 1)
    act.topic = act.topic.replace("/d2", "/d3")


def before_its_birth(node: Node) -> None:
    """Data of d2 between the two births of the rebirth."""
    drop(node, node.find("DBIRTH", 3))
    node.data(5.3, "s1", 240.0, "d2", 20)
    drop(node, node.find("DDEATH"))
    move(node, node.acts[-1], 5.3)
    again(node, "s1")


def late_device(node: Node) -> None:
    move(node, node.find("DBIRTH", 1), 4.15)
    again(node, "s1")


def no_rebirth(node: Node) -> None:
    for verb in ("NBIRTH", "DBIRTH", "DBIRTH"):
        drop(node, node.find(verb, 1 if verb == "NBIRTH" else 2))
    again(node, "s1")


def half_rebirth(node: Node) -> None:
    drop(node, node.find("DBIRTH", 3))
    drop(node, node.find("DDEATH"))
    again(node, "s1")


def goes_on(node: Node) -> None:
    """Data two seconds after the request, births after three."""
    for act in node.acts:
        if 5.1 < act.t < 5.5:
            act.t += 3
        elif 5.5 < act.t < 7:
            act.t += 3.5
    node.data(7.05, "s1", 235.0)
    move(node, node.acts[-1], 7.05)
    again(node, "s1")


def waits_for_nobody(node: Node) -> None:
    drop(node, next(act for act in node.acts if act.topic.startswith("spBv1.0/STATE") and act.kind == "publish"))


def waits_for_another(node: Node) -> None:
    waits_for_nobody(node)
    node.host(1, True, 1000, "mes")
    move(node, node.acts[-1], 1)


def birth_while_offline(node: Node) -> None:
    """The host was never online after it went."""
    drop(node, next(act for act in node.acts if act.t == 30 and act.session == "h"))


def stale_online(node: Node) -> None:
    act = next(act for act in node.acts if act.t == 30 and act.session == "h")
    act.payload = act.payload.replace(b"2000", b"500")


def stays_with_a_dead_host(node: Node) -> None:
    for act in [act for act in node.acts if 21.05 < act.t < 22]:
        move(node, act, act.t + 18)
    for act in [act for act in node.acts if 22 <= act.t < 40 and act.session == "s2"]:
        drop(node, act)
    for act in [act for act in node.acts if act.session == "s2"]:
        drop(node, act)
    new_will(node, lambda p: setattr(p, "metrics", [bd_seq(1, ms(2))]), 1)
    for act in node.acts:
        if act.session == "s3" and act.verb in ("NBIRTH", "NDEATH"):
            metric(act, "bdSeq").value = ("long_value", 1)
    host = next(act for act in node.acts if act.t == 30 and act.session == "h")
    host.t = 38
    move(node, host, 38)


def leaves_for_old_news(node: Node) -> None:
    for act in [act for act in node.acts if act.session == "s1" and 21.05 < act.t < 22]:
        move(node, act, act.t - 14)
    for act in [act for act in node.acts if act.t in (20, 21)]:
        drop(node, act)


def each(act_of, change):
    """A fault that changes one message or event."""
    return lambda node: change(act_of(node))


def set_(**fields):
    """Set fields of an act's payload."""
    return lambda act: [setattr(payload(act), key, value) for key, value in fields.items()]


def detail(**fields):
    """Set facts of an act."""
    return lambda act: act.detail.update(fields)


def topic(old: str, new: str):
    """Change an act's topic."""
    return lambda act: setattr(act, "topic", act.topic.replace(old, new))


def in_metric(name: str, **fields):
    """Set fields of a metric of a birth."""
    return lambda act: [setattr(metric(act, name), key, value) for key, value in fields.items()]


def first_metric(**fields):
    """Set fields of the first metric."""
    return lambda act: [setattr(payload(act).metrics[0], key, value) for key, value in fields.items()]


NBIRTH = lambda node: node.find("NBIRTH")  # noqa: E731 - a table reads better with names
DBIRTH = lambda node: node.find("DBIRTH")  # noqa: E731 - the same
DBIRTH2 = lambda node: node.find("DBIRTH", 1)  # noqa: E731 - the same
NDATA = lambda node: node.find("NDATA")  # noqa: E731 - the same
DDATA = lambda node: node.find("DDATA")  # noqa: E731 - the same
DDEATH = lambda node: node.find("DDEATH")  # noqa: E731 - the same
NDEATH = lambda node: node.find("NDEATH")  # noqa: E731 - the same
CONNECT = lambda node: node.of("connect")  # noqa: E731 - the same
CONNECT5 = lambda node: node.of("connect", 2)  # noqa: E731 - the same
ALONE = {"payloads-sequence-num-incrementing"}

FAULTS: dict[str, tuple[Callable[[Node], object], set[str]]] = {
    # CONNECT and its will
    "no clean session": (each(CONNECT, detail(clean=False)), {"principles-persistence-clean-session-311"}),
    "no clean start": (each(CONNECT5, detail(clean=False)), {"principles-persistence-clean-session-50"}),
    "session expiry": (
        each(CONNECT5, detail(properties={"session_expiry": 60})), {"principles-persistence-clean-session-50"},
    ),
    "no will": (
        lambda node: node.of("connect", 1).detail.pop("will"), {f"{FLOW}-will-message", "payloads-ndeath-will-message"},
    ),
    "will topic": (lambda node: will(node).update(topic="spBv1.0/G/NDEATH/other"), {f"{FLOW}-will-message-topic"}),
    "will is JSON": (
        lambda node: (will(node).update(payload='{"online":false}'), will(node).pop("binary", None)),
        {f"{FLOW}-will-message-payload"},
    ),
    "will QoS": (
        lambda node: will(node).update(qos=0), {f"{FLOW}-will-message-qos", "payloads-ndeath-will-message-qos"},
    ),
    "will retained": (
        lambda node: will(node).update(retain=True),
        {f"{FLOW}-will-message-will-retained", "payloads-ndeath-will-message-retain"},
    ),
    "will with seq": (
        lambda node: new_will(node, lambda p: setattr(p, "seq", 3)), {"topics-ndeath-seq", "payloads-ndeath-seq"},
    ),
    "death with seq": (each(NDEATH, set_(seq=7)), {"topics-ndeath-seq", "payloads-ndeath-seq"}),
    "will with more": (
        lambda node: new_will(node, lambda p: p.metrics.append(Metric.of(1, 3, name="x"))), {"topics-ndeath-payload"},
    ),
    "will without bdSeq": (
        lambda node: new_will(node, lambda p: p.metrics.clear()),
        {"topics-ndeath-payload", "topics-nbirth-bdseq-increment", f"{FLOW}-will-message-payload-bdSeq"},
    ),
    "will bdSeq is a double": (
        lambda node: new_will(node, lambda p: setattr(p, "metrics", [Metric.of(0, 3, name="bdSeq")])),
        {"topics-nbirth-bdseq-increment", f"{FLOW}-will-message-payload-bdSeq"},
    ),
    "bdSeq stands still": (
        lambda node: (
            new_will(node, lambda p: setattr(p, "metrics", [bd_seq(0, ms(2))]), 1),
            [in_metric("bdSeq", value=("long_value", 0))(node.find(k, n)) for k, n in (("NBIRTH", 2), ("NDEATH", 1))],
        ),
        {"topics-nbirth-bdseq-increment", f"{FLOW}-will-message-payload-bdSeq"},
    ),
    # NBIRTH
    "NBIRTH without bdSeq": (
        each(NBIRTH, lambda act: payload(act).metrics.pop(0)), {"topics-nbirth-bdseq-included", "payloads-nbirth-bdseq"},
    ),
    "NBIRTH bdSeq type": (
        each(NBIRTH, in_metric("bdSeq", datatype=8, value=("long_value", 0))), set(),
    ),
    "NBIRTH bdSeq is Int32": (
        each(NBIRTH, in_metric("bdSeq", datatype=3, value=("int_value", 0))), {f"{FLOW}-nbirth-payload-bdSeq"},
    ),
    "NBIRTH bdSeq differs": (
        each(NBIRTH, in_metric("bdSeq", value=("long_value", 9))),
        {"topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq-repeat", "payloads-ndeath-bdseq"},
    ),
    "NDEATH bdSeq differs": (
        each(NDEATH, in_metric("bdSeq", value=("long_value", 9))),
        {"topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq-repeat", "payloads-ndeath-bdseq"},
    ),
    "NBIRTH QoS": (
        each(NBIRTH, detail(qos=1)), {"topics-nbirth-mqtt", "payloads-nbirth-qos", f"{FLOW}-nbirth-qos"},
    ),
    "NBIRTH retained": (
        each(NBIRTH, detail(retain=True)), {"topics-nbirth-mqtt", "payloads-nbirth-retain", f"{FLOW}-nbirth-retained"},
    ),
    "NBIRTH seq 300": (
        lambda node: (set_(seq=300)(node.find("NBIRTH", 2)), set_(seq=45)(node.find("DBIRTH", 4)), [
            set_(seq=seq)(act) for seq, act in ((46, node.find("DBIRTH", 5)), (47, node.find("DDATA", 4)))]),
        {"payloads-nbirth-seq", "payloads-sequence-num-req-nbirth", f"{FLOW}-nbirth-payload-seq", "topics-nbirth-seq-num"},
    ),
    "NBIRTH without seq": (
        each(NBIRTH, set_(seq=None)),
        {"payloads-nbirth-seq", "payloads-sequence-num-req-nbirth", f"{FLOW}-nbirth-payload-seq", "topics-nbirth-seq-num",
         "payloads-sequence-num-always-included"},
    ),
    "NBIRTH without timestamp": (
        each(NBIRTH, set_(timestamp=None)), {"topics-nbirth-timestamp", "payloads-nbirth-timestamp"},
    ),
    "NBIRTH local time": (each(NBIRTH, set_(timestamp=ms(3 + 8 * 3600))), {"payloads-timestamp-in-UTC"}),
    "NBIRTH in seconds": (each(NBIRTH, set_(timestamp=ms(3) // 1000)), {"payloads-timestamp-in-UTC"}),
    "NBIRTH metric without name": (
        lambda node: [payload(node.find("NBIRTH")).metrics.append(Metric.of(1, 3, alias=99, timestamp=ms(3)))],
        {"topics-nbirth-metrics", "payloads-alias-birth-requirement"},
    ),
    "NBIRTH metric without type": (
        each(NBIRTH, in_metric("cpu", datatype=None)), {"topics-nbirth-metrics", "payloads-metric-datatype-req"},
    ),
    "NBIRTH metric without value": (
        each(NBIRTH, in_metric("cpu", value=None)), {"topics-nbirth-metrics", f"{PUBLISH}-nbirth-values"},
    ),
    "NBIRTH null with value": (each(NBIRTH, in_metric("cpu", is_null=True)), {f"{PUBLISH}-nbirth-values"}),
    "NBIRTH metric without timestamp": (
        each(NBIRTH, in_metric("cpu", timestamp=None)), {"payloads-name-birth-data-requirement"},
    ),
    "NBIRTH without Rebirth": (
        each(NBIRTH, lambda act: payload(act).metrics.pop(1)),
        {"topics-nbirth-rebirth-metric", "payloads-nbirth-rebirth-req", f"{COMMANDS}-rebirth-name"},
    ),
    "Rebirth true": (
        each(NBIRTH, in_metric(REBIRTH, value=("boolean_value", True))),
        {"topics-nbirth-rebirth-metric", "payloads-nbirth-rebirth-req", f"{COMMANDS}-rebirth-value"},
    ),
    "Rebirth is Int32": (
        each(NBIRTH, in_metric(REBIRTH, datatype=3, value=("int_value", 0))),
        {"topics-nbirth-rebirth-metric", "payloads-nbirth-rebirth-req", f"{COMMANDS}-rebirth-datatype"},
    ),
    "Rebirth with alias": (each(NBIRTH, in_metric(REBIRTH, alias=77)), {f"{COMMANDS}-rebirth-name-aliases"}),
    "NBIRTH unreadable": (
        lambda node: setattr(node.find("NBIRTH", 3), "payload", b"\x12\xff\xff"), {f"{FLOW}-nbirth-payload"},
    ),
    "NDATA of an unborn metric": (
        each(NDATA, first_metric(alias=None, name="ram", value=("double_value", 1.0))),
        {"topics-nbirth-metric-reqs", f"{PUBLISH}-nbirth"},
    ),
    # DBIRTH
    "DBIRTH QoS": (
        each(DBIRTH, detail(qos=1)), {"topics-dbirth-mqtt", "payloads-dbirth-qos", f"{DFLOW}-dbirth-qos"},
    ),
    "DBIRTH retained": (
        each(DBIRTH, detail(retain=True)), {"topics-dbirth-mqtt", "payloads-dbirth-retain", f"{DFLOW}-dbirth-retained"},
    ),
    "DBIRTH seq jumps": (
        lambda node: set_(seq=9)(node.find("DBIRTH", 7)),
        ALONE | {"payloads-dbirth-seq-inc", f"{DFLOW}-dbirth-payload-seq", "topics-dbirth-seq"},
    ),
    "DBIRTH without seq": (
        each(DBIRTH, set_(seq=None)),
        {"payloads-dbirth-seq", "topics-dbirth-seq", "payloads-sequence-num-always-included"},
    ),
    "DBIRTH without timestamp": (
        each(DBIRTH, set_(timestamp=None)), {"topics-dbirth-timestamp", "payloads-dbirth-timestamp"},
    ),
    "DBIRTH metric without type": (
        each(DBIRTH2, in_metric("log", datatype=None)), {"topics-dbirth-metrics", "payloads-metric-datatype-req"},
    ),
    "DBIRTH metric without value": (
        each(DBIRTH, in_metric("count", is_null=None)), {"topics-dbirth-metrics", f"{PUBLISH}-dbirth-values"},
    ),
    "DBIRTH null with value": (each(DBIRTH, in_metric("voltage", is_null=True)), {f"{PUBLISH}-dbirth-values"}),
    "DBIRTH alias twice": (each(DBIRTH2, in_metric("log", alias=12)), {"payloads-alias-uniqueness"}),
    "DBIRTH unreadable": (
        lambda node: setattr(node.find("DBIRTH", 7), "payload", b"{}"), {f"{DFLOW}-dbirth-payload"},
    ),
    "DBIRTH before NBIRTH": (
        lambda node: (
            move(node, node.find("DBIRTH", 6), 41.5),
            set_(seq=None)(node.find("DBIRTH", 6)),
            set_(seq=1)(node.find("DBIRTH", 7)),
        ),
        {f"{DFLOW}-nbirth-wait", "principles-birth-certificates-order", "payloads-dbirth-seq", "topics-dbirth-seq",
         "payloads-sequence-num-always-included"},
    ),
    "DBIRTH of another node": (
        lambda node: (topic("/E/", "/F/")(node.find("DBIRTH", 7))), {f"{DFLOW}-dbirth-match-edge-node-topic"},
    ),
    "DDATA of an unborn metric": (
        each(DDATA, first_metric(alias=55)), {"topics-dbirth-metric-reqs", f"{PUBLISH}-dbirth"},
    ),
    "DDATA of an unborn device": (early_data, {"payloads-ddata-order"}),
    "DDATA before the DBIRTH of a rebirth": (
        before_its_birth, {"payloads-ddata-order", f"{COMMANDS}-rebirth-action-2"},
    ),
    "NDATA before NBIRTH": (
        lambda node: (move(node, node.find("NDATA"), 2.5), again(node, "s1"), set_(seq=3)(node.find("NDATA"))),
        {"principles-birth-certificates-order", "payloads-ndata-order"},
    ),
    "something before NBIRTH": (
        lambda node: (not_first(node), move(node, node.acts[-1], 2.5)), {"principles-birth-certificates-order"},
    ),
    # subscriptions
    "no NCMD subscription": (
        lambda node: drop(node, next(a for a in node.acts if a.kind == "subscribe" and "NCMD" in a.topic)),
        {"message-flow-edge-node-ncmd-subscribe"},
    ),
    "NCMD subscription late": (
        lambda node: move(node, next(a for a in node.acts if a.kind == "subscribe" and "NCMD" in a.topic), 3.5),
        {"message-flow-edge-node-ncmd-subscribe"},
    ),
    "NCMD subscription at QoS 0": (
        lambda node: next(a for a in node.acts if a.kind == "subscribe" and "NCMD" in a.topic).detail.update(qos=0),
        {"message-flow-edge-node-ncmd-subscribe"},
    ),
    "DCMD subscription at QoS 0": (
        lambda node: next(a for a in node.acts if a.kind == "subscribe" and "DCMD" in a.topic).detail.update(qos=0),
        {"message-flow-device-dcmd-subscribe"},
    ),
    # DATA
    "NDATA QoS": (each(NDATA, detail(qos=1)), {"topics-ndata-mqtt", "payloads-ndata-qos"}),
    "NDATA retained": (each(NDATA, detail(retain=True)), {"topics-ndata-mqtt", "payloads-ndata-retain"}),
    "NDATA without timestamp": (each(NDATA, set_(timestamp=None)), {"topics-ndata-timestamp", "payloads-ndata-timestamp"}),
    "NDATA without seq": (
        each(NDATA, set_(seq=None)),
        {"payloads-ndata-seq", "topics-ndata-seq-num", "payloads-sequence-num-always-included"},
    ),
    "NDATA empty": (each(NDATA, set_(metrics=[])), {"topics-ndata-payload"}),
    "NDATA seq jumps": (
        lambda node: [set_(seq=payload(act).seq + 5)(act) for act in (node.find("NDATA"), node.find("DDATA", 1))],
        ALONE | {"payloads-ndata-seq-inc", "topics-ndata-seq-num"},
    ),
    "DDATA QoS": (each(DDATA, detail(qos=2)), {"topics-ddata-mqtt", "payloads-ddata-qos"}),
    "DDATA retained": (each(DDATA, detail(retain=True)), {"topics-ddata-mqtt", "payloads-ddata-retain"}),
    "DDATA without timestamp": (each(DDATA, set_(timestamp=None)), {"topics-ddata-timestamp", "payloads-ddata-timestamp"}),
    "DDATA without seq": (
        each(DDATA, set_(seq=None)),
        {"payloads-ddata-seq", "topics-ddata-seq-num", "payloads-sequence-num-always-included"},
    ),
    "DDATA seq repeats": (
        lambda node: set_(seq=2)(node.find("DDATA", 4)),
        ALONE | {"payloads-ddata-seq-inc", "topics-ddata-seq-num"},
    ),
    "DDATA unreadable": (
        lambda node: setattr(node.find("DDATA", 4), "payload", b"231.5"), {"topics-ddata-payload"},
    ),
    "DDATA metric without timestamp": (each(DDATA, first_metric(timestamp=None)), {"payloads-name-birth-data-requirement"}),
    "DDATA metric local time": (
        each(DDATA, first_metric(timestamp=ms(4 + 8 * 3600))), {"payloads-metric-timestamp-in-UTC"},
    ),
    "DDATA metric in seconds": (
        each(DDATA, first_metric(timestamp=ms(4) // 1000)), {"payloads-metric-timestamp-in-UTC"},
    ),
    "DDATA metric without name and alias": (each(DDATA, first_metric(alias=None)), {"payloads-name-requirement"}),
    "DDATA value of another type": (
        each(DDATA, first_metric(value=("double_value", 231.0))),
        {"payloads-metric-datatype-value", "payloads-metric-datatype-value-type"},
    ),
    "DBIRTH unknown type": (
        each(DBIRTH, in_metric("count", datatype=60)),
        {"payloads-metric-datatype-value", "payloads-metric-datatype-value-type"},
    ),
    "DDATA back in time": (
        each(DDATA, lambda act: payload(act).metrics.append(Metric(alias=10, timestamp=ms(3), value=("float_value", 1.0)))),
        {f"{PUBLISH}-dbirth-order"},
    ),
    "NDATA back in time": (
        each(NDATA, lambda act: payload(act).metrics.append(Metric(alias=1, timestamp=ms(3), value=("double_value", 1.0)))),
        {f"{PUBLISH}-nbirth-order"},
    ),
    # topics
    "another namespace": (
        lambda node: topic("spBv1.0", "spAv1.0")(node.find("DDATA", 4)), {"topic-structure-namespace-a"},
    ),
    "DDATA without device": (
        lambda node: setattr(node.find("DDATA", 4), "topic", "spBv1.0/G/DDATA/E"),
        {"topic-structure-namespace-device-id-associated-message-types"},
    ),
    "NDATA with device": (
        lambda node: (node.data(31.5, "s2", 1.0), topic("DDATA", "NDATA")(node.acts[-1]), move(node, node.acts[-1], 31.5)),
        {"topic-structure-namespace-device-id-non-associated-message-types"},
    ),
    "unknown message type": (
        lambda node: topic("DDATA", "ddata")(node.find("DDATA", 4)), {"topic-structure"},
    ),
    # complex data
    "keys without values": (
        each(DBIRTH, lambda act: metric(act, "voltage").properties.keys.append("x")),
        {"payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size"},
    ),
    "property without type": (
        each(DBIRTH, lambda act: setattr(metric(act, "voltage").properties.values[0], "type", None)),
        {"payloads-metric-propertyvalue-type-req"},
    ),
    "property of unknown type": (
        each(DBIRTH, lambda act: setattr(metric(act, "voltage").properties.values[0], "type", 16)),
        {"payloads-metric-propertyvalue-type-value", "payloads-metric-propertyvalue-type-type"},
    ),
    "quality is Int64": (
        each(DBIRTH, lambda act: setattr(metric(act, "voltage").properties.values[1], "type", 7)),
        {"payloads-propertyset-quality-value-type"},
    ),
    "quality 100": (
        each(DBIRTH, lambda act: metric(act, "voltage").properties.values.__setitem__(1, PropertyValue.of(100, 3))),
        {"payloads-propertyset-quality-value-value"},
    ),
    "columns miscounted": (each(DBIRTH, lambda act: setattr(table(act), "num_of_columns", 2)), {"payloads-dataset-column-size"}),
    "a column without type": (
        each(DBIRTH, lambda act: (table(act).columns.append("m"), setattr(table(act), "num_of_columns", 2))),
        {"payloads-dataset-column-num-headers", "payloads-dataset-types-num"},
    ),
    "columns without types": (
        each(DBIRTH, lambda act: table(act).types.clear()),
        {"payloads-dataset-column-num-headers", "payloads-dataset-types-num", "payloads-dataset-parameter-type-req",
         "payloads-dataset-types-def"},
    ),
    "column of a set": (
        each(DBIRTH, lambda act: setattr(table(act), "types", [16])),
        {"payloads-dataset-types-value", "payloads-dataset-types-type"},
    ),
    "template without is_definition": (
        each(DBIRTH, lambda act: setattr(template(act), "is_definition", None)), {"payloads-template-is-definition"},
    ),
    "definition in DBIRTH": (
        each(DBIRTH, lambda act: (setattr(template(act), "is_definition", True), setattr(template(act), "template_ref", None))),
        {"payloads-template-definition-nbirth-only"},
    ),
    "definition that refers": (
        each(NBIRTH, lambda act: setattr(definition(act), "template_ref", "x")),
        {"payloads-template-definition-ref", "payloads-template-ref-definition"},
    ),
    "instance of nothing": (
        each(DBIRTH, lambda act: setattr(template(act), "template_ref", None)),
        {"payloads-template-instance-ref", "payloads-template-ref-instance"},
    ),
    "instance of an unborn definition": (
        lambda node: setattr(template(node.find("DBIRTH")), "template_ref", "Pump"),
        {"topics-nbirth-templates", "payloads-template-definition-nbirth"},
    ),
    "instance with another member": (
        each(DBIRTH, lambda act: template(act).metrics.append(Metric.of(1.0, 9, name="torque"))),
        {"payloads-template-instance-members", "payloads-template-definition-members"},
    ),
    "instance without a member": (
        each(DBIRTH, lambda act: template(act).metrics.clear()), {"payloads-template-instance-members-birth"},
    ),
    "parameter without name": (
        each(DBIRTH, lambda act: setattr(template(act).parameters[0], "name", None)),
        {"payloads-template-parameter-name-required", "payloads-template-parameter-name-type"},
    ),
    "parameter without type": (
        each(DBIRTH, lambda act: setattr(template(act).parameters[0], "type", None)), {"payloads-template-parameter-type-req"},
    ),
    "parameter of unknown type": (
        each(DBIRTH, lambda act: setattr(template(act).parameters[0], "type", 99)),
        {"payloads-template-parameter-type-value", "payloads-template-parameter-value-type"},
    ),
    # the end
    "leaves without NDEATH": (
        lambda node: drop(node, node.find("NDEATH", 1)),
        {f"{ENDS}-intentional-disconnect-ndeath", f"{ENDS}-intentional-disconnect-packet",
         "payloads-ndeath-will-message-publisher-disconnect-mqtt311"},
    ),
    "leaves version 5 without will": (
        lambda node: setattr(node.of("disconnect", 2), "status", 0),
        {f"{ENDS}-intentional-disconnect-ndeath", f"{ENDS}-intentional-disconnect-packet",
         "payloads-ndeath-will-message-publisher-disconnect-mqtt50"},
    ),
    "DDEATH QoS": (each(DDEATH, detail(qos=1)), {"topics-ddeath-mqtt"}),
    "DDEATH without timestamp": (each(DDEATH, set_(timestamp=None)), {"payloads-ddeath-timestamp"}),
    "DDEATH without seq": (
        each(DDEATH, set_(seq=None)),
        {"payloads-ddeath-seq", "payloads-ddeath-seq-number", "topics-ddeath-seq-num", "payloads-sequence-num-always-included"},
    ),
    "DDEATH seq jumps": (
        lambda node: [set_(seq=payload(act).seq + 3)(act) for act in (node.find("DDEATH"), node.find("DDATA", 3))],
        ALONE | {"payloads-ddeath-seq-inc", "topics-ddeath-seq-num"},
    ),
    "data after DDEATH": (
        lambda node: (topic("/d1", "/d2")(node.find("DDATA", 3)), first_metric(alias=20)(node.find("DDATA", 3))),
        {"payloads-ddata-order"},
    ),
    # commands
    "no rebirth": (no_rebirth, {f"{COMMANDS}-rebirth-action-1", f"{COMMANDS}-rebirth-action-2"}),
    "half a rebirth": (half_rebirth, {f"{COMMANDS}-rebirth-action-2"}),
    "data goes on": (goes_on, {f"{COMMANDS}-rebirth-action-1"}),
    "rebirth with another bdSeq": (
        lambda node: in_metric("bdSeq", value=("long_value", 1))(node.find("NBIRTH", 1)),
        {f"{COMMANDS}-rebirth-action-3", "topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq-repeat",
         "payloads-ndeath-bdseq"},
    ),
    # the primary host
    "waits for nobody": (waits_for_nobody, {f"{FLOW}-phid-wait", f"{ENDS}-birth-sequence-wait"}),
    "waits for another": (
        waits_for_another, {f"{FLOW}-phid-wait", f"{ENDS}-birth-sequence-wait", f"{FLOW}-phid-wait-id"},
    ),
    "birth while the host is offline": (
        birth_while_offline, {f"{FLOW}-phid-wait", f"{ENDS}-birth-sequence-wait", f"{FLOW}-phid-wait-online"},
    ),
    "birth on a stale online": (stale_online, {f"{FLOW}-phid-wait-timestamp"}),
    "stays with a dead host": (
        stays_with_a_dead_host,
        {f"{FLOW}-phid-offline", f"{ENDS}-termination-host-offline",
         "operational-behavior-primary-application-state-with-multiple-servers-walk"},
    ),
    "leaves for old news": (leaves_for_old_news, {f"{ENDS}-termination-host-offline-timestamp"}),
    "does not listen to the host": (
        lambda node: drop(node, next(a for a in node.acts if a.kind == "subscribe" and "STATE" in a.topic)),
        {"operational-behavior-primary-application-state-with-multiple-servers-state-subs"},
    ),
    "two nodes of one name": (
        two_at_once, {"topic-structure-namespace-unique-edge-node-descriptor", "payloads-nbirth-edge-node-descriptor"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_exactly_its_assertions(bench: Bench, fault: str) -> None:
    """What is broken is said with the record that breaks it, in three languages; nothing else is."""
    spoil, broken = FAULTS[fault]
    node = good_node()
    spoil(node)
    found = [f for f in findings(bench, node) if f.verdict is Verdict.FAIL]
    assert {f.id for f in found} == broken, {f.id: f.why.say() for f in found if f.id not in broken}
    assert all(f.evidence and f.why.missing == () for f in found)


def test_the_specification_read_otherwise_is_a_warning(bench: Bench) -> None:
    """NBIRTH that counts on, bdSeq as UInt64 and from 5 on, name beside alias, a type in DATA, a device that joins late."""
    node = good_node()
    for n, act in enumerate(a for a in node.acts if a.session == "s2" and a.verb not in ("", "NDEATH")):
        payload(act).seq = (250 + n) % 256
    metric(node.find("NBIRTH"), "bdSeq").datatype = DataType.UINT64
    for n in range(3):
        new_will(node, lambda p, n=n: setattr(p, "metrics", [bd_seq(n + 5, ms(2))]), n)
    for act in node.acts:
        if act.verb in ("NBIRTH", "NDEATH"):
            number = metric(act, "bdSeq")
            number.value = ("long_value", number.value[1] + 5)
    first_metric(name="voltage", datatype=9)(node.find("DDATA"))
    late_device(node)
    found = {f.id: f for f in findings(bench, node)}
    assert {f.id for f in found.values() if f.verdict is not Verdict.PASS} == set()
    assert {f.id for f in found.values() if f.warnings} == {
        "topics-nbirth-seq-num", f"{FLOW}-nbirth-payload-bdSeq", "topics-nbirth-bdseq-increment", "payloads-dbirth-order",
        f"{FLOW}-will-message-payload-bdSeq", "payloads-alias-data-cmd-requirement", "payloads-metric-datatype-not-req",
    }  # fmt: skip


def test_values_that_have_not_changed_are_remarked(bench: Bench) -> None:
    """Report by exception is recommended, so a node that repeats itself passes with a warning."""
    node = good_node()
    repeat(node)
    found = findings(bench, node)
    assert all(f.verdict is Verdict.PASS for f in found)
    warned = {f.id for f in found if f.warnings}
    assert warned == {"principles-rbe-recommended", f"{PUBLISH}-dbirth-change"}


def test_seq_may_wrap(bench: Bench) -> None:
    """255 is followed by 0."""
    node = good_node()
    for n in range(300):
        node.data(44 + n / 100, "s2", 300.0 + n)
    seq = payload(node.find("DDATA", 4)).seq
    for n, act in enumerate(node.acts[-300:], 1):
        payload(act).seq = (seq + n) % 256
        move(node, act, 31 + n / 100)
    assert [f.id for f in findings(bench, node) if f.verdict is Verdict.FAIL] == []


def test_a_birth_too_long_to_be_kept_is_not_held_against_it(bench: Bench) -> None:
    """What was cut can neither be read nor be wrong; the seq goes on after it."""
    node = good_node()
    for act in node.acts:
        if act.verb == "DBIRTH" and act.topic.endswith("d1"):
            payload(act).body = b"\xff" * 9000
    assert [f.id for f in findings(bench, node) if f.verdict is Verdict.FAIL] == []


def test_what_nothing_speaks_of_is_not_executed(bench: Bench) -> None:
    """A node that only connects."""
    node = Node()
    node.connect(1, "s1", 0)
    found = findings(bench, node)
    assert {f.verdict for f in found if f.set in ("SendData", "ReceiveCommand", "SessionTermination")} == {
        Verdict.NOT_EXECUTED
    }
    assert {f.verdict for f in found if f.id == f"{FLOW}-will-message-qos"} == {Verdict.PASS}


def test_the_check_passes_a_good_node_and_says_how_much_holds(bench: Bench) -> None:
    """All sets at once."""
    good_node().play(bench)
    outcome = bench.judge("sparkplug.conformant", **ALL, executed=["operational-behavior-device-ddeath"])
    assert (outcome.state, outcome.score) == (State.PASSED, 1)
    assert "Monitor" in str(outcome.actual)
    assert outcome.evidence


def test_the_check_names_what_is_broken(bench: Bench) -> None:
    """With the first reasons as help; part of the marks on request, never all."""
    node = good_node()
    detail(qos=1)(node.find("DDATA"))
    node.play(bench)
    outcome = bench.judge("sparkplug.conformant", **ALL)
    assert (outcome.state, outcome.score) == (State.FAILED, 0)
    assert "payloads-ddata-qos" in outcome.reason["en"]
    assert "QoS of DDATA d1 is 1, not 0." in outcome.help["en"]
    part = bench.judge("sparkplug.conformant", **ALL, partial=True)
    assert (part.state, 0.9 < part.score < 1) == (State.FAILED, True)
    assert bench.judge("sparkplug.conformant", **ALL, share="95 %").state is State.PASSED


def test_a_set_without_occasion_does_not_pass(bench: Bench) -> None:
    """A node that only connects has not shown that it sends data, nor has it met a rebirth."""
    node = Node()
    node.connect(2, "s1", 0)
    node.births(3, "s1", 0)
    node.play(bench)
    asked = {"group": GROUP, "edge": EDGE, "sets": ["Monitor", "SendData"]}
    outcome = bench.judge("sparkplug.conformant", **{**asked, "sets": ["ReceiveCommand"]}, partial=True)
    assert (outcome.state, outcome.score, "ReceiveCommand" in outcome.reason["en"]) == (State.FAILED, 0, True)
    again = bench.judge("sparkplug.conformant", **{**asked, "sets": ["Monitor"]}, executed=["payloads-ddeath-seq-inc"])
    assert "payloads-ddeath-seq-inc" in again.reason["en"]


def test_strict_takes_warnings_for_faults(bench: Bench) -> None:
    """For a task that asks for report by exception."""
    node = good_node()
    repeat(node)
    node.play(bench)
    assert bench.judge("sparkplug.conformant", **ALL).state is State.PASSED
    strict = bench.judge("sparkplug.conformant", **ALL, strict=True)
    assert "principles-rbe-recommended" in strict.reason["en"]


def test_another_node_is_named(bench: Bench) -> None:
    """A slip in the ids is the usual reason; an untouched lab has nobody, and the plant's own node is nobody's work."""
    node = good_node()
    for act in node.acts:
        if act.session == "s3":
            act.app = "plant"
    node.play(bench)
    outcome = bench.judge("sparkplug.conformant", group="G", edge="X")
    assert (outcome.state, "G/E" in outcome.reason["en"]) == (State.FAILED, True)


def test_an_untouched_lab_has_no_node(bench: Bench) -> None:
    """No marks for nothing."""
    bench.end = 5
    assert bench.judge("sparkplug.conformant", group="G", edge="E").score == 0
    assert bench.judge("sparkplug.metric", group="G", edge="E", metric="x", tag="meter1.voltage").score == 0


def test_the_report_has_a_line_for_each_assertion(bench: Bench) -> None:
    """For an instructor who wants to see all of it."""
    node = good_node()
    node.play(bench)
    lines = report(bench.evidence.folder, GROUP, EDGE, HOST).splitlines()
    assert len(lines) > 130
    assert all(line.startswith("PASS") for line in lines)


METRIC = {
    "group": GROUP, "edge": EDGE, "device": "d1", "metric": "voltage", "tag": "meter1.voltage", "tolerance": 0.5,
    "age": "1 s", "for": "10 s",
}  # fmt: skip


def follow(node: Node, changes: list[tuple[float, float]], lag: float = 0.2) -> None:
    """A node that sends each change a little later."""
    node.connect(1, "s1", 0)
    node.births(2, "s1", 0)
    for t, value in changes:
        node.data(t + lag, "s1", value)


CHANGES = [(3.0, 231.0), (8.0, 235.0), (13.0, 240.0)]


@pytest.mark.parametrize(("lag", "good"), [(0.2, True), (0.9, True), (3.0, False)])
def test_a_metric_by_exception_is_right_while_nothing_changes(bench: Bench, lag: float, good: bool) -> None:
    """Five seconds of silence are right as long as the tag stands still; a change that comes late is not."""
    bench.true("meter1.voltage", (0, 230.0), *CHANGES)
    node = Node()
    follow(node, CHANGES, lag)
    node.play(bench, 18)
    outcome = bench.judge("sparkplug.metric", **METRIC)
    assert (outcome.state is State.PASSED) is good, outcome


def test_a_metric_grows_stale_with_its_node(bench: Bench) -> None:
    """After a death nothing is known, however right it was."""
    bench.true("meter1.voltage", (0, 230.0))
    node = Node()
    follow(node, [(3.0, 230.0)])
    node.leave(6, "s1", 0)
    node.play(bench, 30)
    assert bench.judge("sparkplug.metric", **METRIC).state is State.FAILED
    assert bench.judge("sparkplug.metric", **{**METRIC, "for": "4 s"}).state is State.PASSED


def test_a_metric_with_bad_quality_is_not_known(bench: Bench) -> None:
    """The value may be right, a host does not use it."""
    bench.true("meter1.voltage", (0, 230.0))
    node = Node()
    follow(node, [(3.0, 230.0)])
    (sent,) = payload(node.find("DDATA")).metrics
    sent.properties = metric(node.find("DBIRTH"), "voltage").properties.__class__(
        keys=["Quality"], values=[PropertyValue.of(0, DataType.INT32)]
    )
    node.play(bench, 30)
    assert bench.judge("sparkplug.metric", **METRIC).state is State.FAILED


def test_a_wrong_metric_says_what_it_looks_like(bench: Bench) -> None:
    """Tenfold values are named; so are a metric that no BIRTH has and a device that was never born."""
    bench.true("meter1.voltage", (0, 230.0), *CHANGES)
    node = Node()
    follow(node, [(t, value * 10) for t, value in CHANGES])
    node.play(bench, 20)
    outcome = bench.judge("sparkplug.metric", **METRIC)
    assert (outcome.state, "2400" in outcome.reason["en"], bool(outcome.help)) == (State.FAILED, True, True)
    missing = bench.judge("sparkplug.metric", **{**METRIC, "metric": "power"})
    assert ("power" in missing.reason["en"], "voltage" in str(missing.actual)) == (True, True)
    assert "d9" in bench.judge("sparkplug.metric", **{**METRIC, "device": "d9"}).reason["en"]


def test_a_metric_of_the_node_itself(bench: Bench) -> None:
    """NBIRTH and NDATA, by alias."""
    bench.true("meter1.power", (0, 20.0), (5, 25.0))
    node = Node()
    node.connect(1, "s1", 0)
    node.births(2, "s1", 0)
    node.send(5.1, "s1", "NDATA", [Metric(alias=1, timestamp=ms(5.1), value=("double_value", 25.0))])
    node.play(bench, 20)
    asked = {**METRIC, "device": "", "metric": "cpu", "tag": "meter1.power"}
    assert bench.judge("sparkplug.metric", **asked).state is State.PASSED


def test_any_bytes_in_the_journal_are_judged(tmp_path: Path) -> None:
    """Each payload of a good node, spoilt at each of many places: findings, never an exception."""
    for n in range(40):
        node, bench = good_node(), Bench(tmp_path / str(n))
        for act in node.acts:
            if isinstance(act.payload, Payload):
                data = bytearray(encode(act.payload))
                if len(data) > n * 3:
                    data[n * 3] ^= 0x55 + n
                act.payload = bytes(data)
        node.play(bench)
        assert judge(read_story(bench.evidence, GROUP, EDGE, HOST))
        bench.judge("sparkplug.conformant", **ALL)
        bench.judge("sparkplug.metric", **METRIC)


def test_the_manual_lists_every_assertion() -> None:
    """docs/sparkplug.md ends with the catalogue, set by set."""
    text = (Path(__file__).parents[2] / "docs" / "sparkplug.md").read_text(encoding="utf-8")
    assert text.endswith(catalogue()), "write it anew with python -m grader.sparkplug"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"executed": ["topics-nbirth-mqt"]}, "Did you mean 'topics-nbirth-mqtt'"),
        ({"executed": ["topics-ddeath-mqtt"]}, "SessionTermination, which 'sets' leaves out"),
        ({"sets": ["PrimaryHost"]}, "belong together"),
        ({"host": "scada"}, "belong together"),
        ({"host": "a/b"}, "no Sparkplug id"),
    ],
)
def test_parameters_that_cannot_be_met_are_refused(params: dict, why: str) -> None:
    """An assertion that does not exist, or is of no set that is judged; half of the primary host."""
    with pytest.raises(ValueError, match=re.escape(why)):
        ConformantParams.model_validate({"group": GROUP, "edge": EDGE, **params})
