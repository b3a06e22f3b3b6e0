"""A good session of an edge node, as what it does one after the other, for tests to spoil."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from grader_bench import UTC_ORIGIN_NS, Bench

from labsim.endpoints.mqtt.evidence import describe
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import (
    QUALITY,
    REBIRTH,
    UNIT,
    DataSet,
    DataSetValue,
    Metric,
    Parameter,
    Payload,
    PropertySet,
    PropertyValue,
    Row,
    Template,
    bd_seq,
    encode,
)
from labsim.sparkplug.topic import HostState, Topic, state_topic

GROUP, EDGE, HOST = "G", "E", "scada"


def ms(t: float) -> int:
    """UTC milliseconds of a plant second."""
    return UTC_ORIGIN_NS // 1_000_000 + round(t * 1000)


@dataclass
class Act:
    """One thing that somebody does: a publish when there is a payload, else an event of ``kind``."""

    t: float
    session: str
    app: str
    kind: str = "publish"
    topic: str = ""
    payload: Payload | bytes | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    status: int = 0

    @property
    def verb(self) -> str:
        """The message type of a Sparkplug topic."""
        levels = self.topic.split("/")
        return levels[2] if self.kind == "publish" and len(levels) > 3 else ""


class Node:
    """What an edge node and its host do; ``acts`` may be changed before `play`."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.seq = 0

    def add(self, t: float, session: str, app: str = "node", **fields: Any) -> Act:
        """One act."""
        act = Act(t, session, app, **fields)
        self.acts.append(act)
        return act

    def send(self, t: float, session: str, verb: str, metrics: list[Metric], device: str = "") -> None:
        """A message of the node, with the next seq; an NBIRTH begins at 0, an NDEATH has none."""
        seq = None if verb == "NDEATH" else 0 if verb == "NBIRTH" else self.seq
        if seq is not None:
            self.seq = (seq + 1) % 256
        payload = Payload(timestamp=ms(t), metrics=metrics, seq=seq)
        self.add(t, session, topic=str(Topic(GROUP, verb, EDGE, device)), payload=payload)  # type: ignore[arg-type]

    def connect(self, t: float, session: str, number: int, **detail: Any) -> None:
        """CONNECT with its will, and the subscriptions."""
        text, facts = describe(encode(Payload(timestamp=ms(t), metrics=[bd_seq(number, ms(t))])))
        will = {"topic": f"spBv1.0/{GROUP}/NDEATH/{EDGE}", "qos": 1, "retain": False, "payload": text, **facts}
        self.add(t, session, kind="open", app="")
        self.add(
            t, session, kind="connect", detail={"level": 4, "clean": True, "keepalive": 30, "will": will, **detail}
        )
        for topic in (f"spBv1.0/{GROUP}/NCMD/{EDGE}", f"spBv1.0/{GROUP}/DCMD/{EDGE}/d1", state_topic(HOST)):
            self.add(t, session, kind="subscribe", topic=topic, detail={"qos": 1, "granted": 1})

    def births(self, t: float, session: str, number: int, *devices: str) -> None:
        """The whole birth."""
        rebirth = Metric.of(False, DataType.BOOLEAN, name=REBIRTH, timestamp=ms(t))
        motor = Template(
            is_definition=True,
            metrics=[Metric(name="speed", datatype=9, is_null=True)],
            parameters=[Parameter(name="poles", type=3)],
        )
        self.send(
            t,
            session,
            "NBIRTH",
            [
                bd_seq(number, ms(t)),
                rebirth,
                Metric.of(20.0, DataType.DOUBLE, name="cpu", alias=1, timestamp=ms(t)),
                Metric(name="Motor", datatype=19, timestamp=ms(t), value=("template_value", motor)),
            ],
        )
        for n, device in enumerate(devices or ("d1", "d2")):
            self.send(t + 0.01 * (n + 1), session, "DBIRTH", self.device(t, 10 * (n + 1)), device)

    def device(self, t: float, alias: int) -> list[Metric]:
        """The metrics of a device."""
        unit = PropertySet(
            keys=[UNIT, QUALITY], values=[PropertyValue.of("V", DataType.STRING), PropertyValue.of(192, DataType.INT32)]
        )
        table = DataSet(
            num_of_columns=1, columns=["n"], types=[3], rows=[Row(elements=[DataSetValue(value=("int_value", 1))])]
        )
        pump = Template(
            is_definition=False,
            template_ref="Motor",
            metrics=[Metric.of(1.5, DataType.FLOAT, name="speed")],
            parameters=[Parameter(name="poles", type=3, value=("int_value", 4))],
        )
        return [
            Metric.of(230.0, DataType.FLOAT, name="voltage", alias=alias, timestamp=ms(t), properties=unit),
            Metric.of(None, DataType.INT32, name="count", alias=alias + 1, timestamp=ms(t)),
            Metric(name="log", alias=alias + 2, datatype=16, timestamp=ms(t), value=("dataset_value", table)),
            Metric(name="pump", alias=alias + 3, datatype=19, timestamp=ms(t), value=("template_value", pump)),
        ]

    def data(self, t: float, session: str, value: float, device: str = "d1", alias: int = 10) -> None:
        """A new voltage."""
        metric = Metric(alias=alias, timestamp=ms(t), value=("float_value", value))
        self.send(t, session, "DDATA", [metric], device)

    def host(self, t: float, online: bool, timestamp: int, name: str = HOST) -> None:
        """The host says what it is."""
        self.add(t, "h", name, topic=state_topic(name), payload=HostState(online, timestamp).encode())

    def rebirth(self, t: float) -> None:
        """The host asks for a birth."""
        metric = Metric.of(True, DataType.BOOLEAN, name=REBIRTH)
        payload = Payload(timestamp=ms(t), metrics=[metric])
        self.add(t, "h", HOST, topic=f"spBv1.0/{GROUP}/NCMD/{EDGE}", payload=payload)

    def leave(self, t: float, session: str, number: int, *, status: int = 0) -> None:
        """The death, DISCONNECT, and the end of the connection."""
        if not status:
            self.send(t, session, "NDEATH", [bd_seq(number, ms(t))])
        self.add(t + 0.1, session, kind="disconnect", status=status)
        self.add(t + 0.1, session, kind="close", detail={"clean": not status})
        if status:
            self.add(t + 0.1, session, topic=f"spBv1.0/{GROUP}/NDEATH/{EDGE}", detail={"will": True, "qos": 1},
                     payload=Payload(timestamp=ms(t), metrics=[bd_seq(number, ms(t))]))  # fmt: skip

    def find(self, verb: str, n: int = 0, device: str | None = None) -> Act:
        """The n-th message of a kind that the node itself sent."""
        return [
            act for act in self.acts
            if act.verb == verb and not act.detail.get("will") and (device is None or act.topic.endswith(f"/{device}"))
        ][n]  # fmt: skip

    def of(self, kind: str, n: int = 0) -> Act:
        """The n-th event of a kind."""
        return [act for act in self.acts if act.kind == kind][n]

    def play(self, bench: Bench, end: float = 80.0) -> None:
        """Put everything into an attempt."""
        for act in self.acts:
            values, detail = [], dict(act.detail)
            if act.payload is not None:
                data = encode(act.payload) if isinstance(act.payload, Payload) else act.payload
                text, facts = describe(data)
                values, detail = [text], {"qos": 0, "retain": False, "dup": False, **facts, **detail}
            bench.event(act.t, "mqtt", act.kind, app=act.app, session=act.session, subject=act.topic, values=values,
                        detail=detail, status=act.status)  # fmt: skip
        bench.end = end


def good_node() -> Node:
    """A node that does everything there is, all of it right: two sessions of 3.1.1 and one of 5."""
    node = Node()
    node.host(1, True, 1000)
    node.connect(2, "s1", 0)
    node.births(3, "s1", 0)
    node.data(4, "s1", 231.0)
    node.send(4.1, "s1", "NDATA", [Metric(alias=1, timestamp=ms(4.1), value=("double_value", 25.0))])
    node.data(4.2, "s1", 229.0, "d2", 20)
    node.rebirth(5)
    node.births(5.2, "s1", 0)
    node.data(6, "s1", 232.0)
    node.send(6.1, "s1", "DDEATH", [], "d2")
    node.host(7, False, 999)
    node.data(20, "s1", 233.0)
    node.host(21, False, 1000)
    node.leave(21.1, "s1", 0)
    node.connect(22, "s2", 1)
    node.host(30, True, 2000)
    node.births(30.1, "s2", 1)
    node.data(31, "s2", 234.0)
    node.leave(40, "s2", 1)
    node.connect(41, "s3", 2, level=5, properties={"receive_maximum": 20})
    node.births(42, "s3", 2)
    node.leave(43, "s3", 2, status=4)
    return node
