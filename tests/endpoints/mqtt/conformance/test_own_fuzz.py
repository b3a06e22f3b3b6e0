"""Mutated packets of both versions against the whole core: nothing is raised, nothing leaks, all answers are well formed.

``LABSIM_FUZZ=1`` runs 100,000 inputs, each reproducible from the number of its episode.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.access import Access, Rights, TopicRights
from labsim.endpoints.mqtt.limits import Limits

INPUTS = 100_000
TOPICS = ["a", "a/b", "b", "銑/床", "$x", "", "a/+", "no/entry"]
FILTERS = ["a", "a/#", "#", "+/b", "$share/g/a", "$share/h/#", "$SYS/#", "a/#/b", "$share//a", "no/#"]
FORMS = {1: 1, 2: 4, 3: "s", 8: "s", 9: "b", 11: "v", 17: 4, 21: "s", 23: 1, 24: 4, 31: "s", 33: 2, 34: 2, 35: 2, 38: "p",
         39: 4, 99: 1}  # fmt: skip
"""Form of each property that may be chosen; 99 does not exist."""


def properties(rng: Random, wire: Any) -> bytes:
    """None, one or two properties with values that are often not allowed."""
    pairs = []
    for key in rng.sample(list(FORMS), rng.choice([0, 0, 0, 1, 2])):
        value = {
            1: rng.randrange(3), 2: rng.choice([0, 1, 2, 5, 65535]), 4: rng.choice([0, 1, 3, 70, 2**32 - 1]),
            "v": rng.choice([0, 1, 2**28 - 1]), "s": rng.choice(TOPICS), "b": b"\x01\xff", "p": ("k", rng.choice(TOPICS)),
        }[FORMS[key]]  # fmt: skip
        pairs.append((key, value))
    return wire.props(*pairs)


def packet(rng: Random, peer: Any, wire: Any) -> bytes:
    """A packet, with few names and identifiers, so that packets meet each other's effects."""
    flag, mid = rng.random() < 0.5, rng.randrange(4)
    match rng.choice(
        ["publish", "publish", "publish", "subscribe", "subscribe", "unsubscribe", "ack", "ack", "connect", "end"]
    ):
        case "connect":
            will = rng.choice([None, (rng.choice(TOPICS), b"gone", rng.randrange(4), flag, properties(rng, wire))])
            return peer.connect_bytes(
                rng.choice(["", "x", "y"]), clean=flag, keepalive=rng.randrange(4), properties=properties(rng, wire),
                will=will, user=rng.choice([None, "ann", "bob"]), password="p",
            )  # fmt: skip
        case "publish":
            payload = rng.choice([b"", b"x", b"\xff" * 5, b"y" * 250])
            return peer.publish_bytes(
                rng.choice(TOPICS), payload, rng.choice([0, 1, 1, 2, 2, 3]), mid, retain=flag, dup=rng.random() < 0.2,
                properties=properties(rng, wire),
            )  # fmt: skip
        case "subscribe":
            filters = [(rng.choice(FILTERS), rng.randrange(64)) for _ in range(rng.randrange(4))]
            return peer.subscribe_bytes(*filters, mid=mid, properties=properties(rng, wire))
        case "unsubscribe":
            return peer.unsubscribe_bytes(*rng.sample(FILTERS, rng.randrange(3)))
        case "ack":
            rest = rng.choice([b"", b"", b"\0", b"\x80", b"\x92\0"])
            return wire.packet(rng.choice([0x40, 0x50, 0x62, 0x70]), mid.to_bytes(2, "big") + rest)
    return rng.choice([b"\xc0\0", b"\xe0\0", b"\xe0\1\4", b"\xe0\7\0\5\x11\0\0\0\5", b"\xf0\0"])


def mutated(rng: Random, data: bytes) -> bytes:
    """The packet with a byte changed, cut out or put in, or its end missing; now and then as it was."""
    at, byte = rng.randrange(len(data)), bytes((rng.randrange(256),))
    match rng.choice(["keep", "keep", "set", "cut", "put", "end"]):
        case "set":
            return data[:at] + byte + data[at + 1 :]
        case "cut":
            return data[:at] + data[at + 1 :]
        case "put":
            return data[:at] + byte + data[at:]
        case "end":
            return data[:at]
    return data


class Episode:
    """One broker with an orderly pair of clients and some rogues of both versions."""

    def __init__(self, rng: Random, make_bench: Any, speak: Any, understand: Any, wire: Any) -> None:
        rights = TopicRights({"ann": Rights(("a/#",), ("a/#",))})
        limits = Limits(packet=300, window=3, queue=4, retained=4, receive=2, aliases=3, subscriptions=6, strangers=3)
        self.bench = make_bench(Access([User("ann", "p"), User("good", "p")], acl=rights), limits)
        self.rng, self.speak, self.understand, self.wire, self.inputs = rng, speak, understand, wire, 0
        self.reader, self.writer = self.bench.open(), self.bench.open()
        five = speak[5]
        self.put(
            self.reader, five.connect_bytes("reader", user="good", password="p"), five.subscribe_bytes(("good", 1))
        )
        self.put(self.writer, five.connect_bytes("writer", user="good", password="p"))
        self.heard(self.reader, 5)
        self.heard(self.writer, 5)
        self.rogues: list[tuple[Any, int]] = []

    def put(self, client: Any, *sent: bytes) -> None:
        """One segment."""
        client.connection.receive(b"".join(sent), self.bench.now)
        self.bench.pump()

    def heard(self, client: Any, level: int) -> list[Any]:
        """What has come; raises on anything that is not well formed."""
        said, client.inbox = client.inbox, b""
        return self.understand(said, level)

    def rogue(self) -> tuple[Any, int]:
        """One that there is, or a new one, which mostly connects in good order first."""
        if len(self.rogues) == 3 and not (chosen := self.rng.choice(self.rogues))[0].closed:
            return chosen
        client, level = self.bench.open(), self.rng.choice([4, 5])
        self.rogues = [*self.rogues, (client, level)][-3:]
        if self.rng.random() < 0.8:
            keep = self.wire.props((17, 5)) if self.rng.random() < 0.5 else b"\0"
            name, clean = self.rng.choice(["x", "y", "z"]), self.rng.random() < 0.4
            self.put(client, self.speak[level].connect_bytes(name, clean=clean, properties=keep))
        return client, level

    def run(self, rounds: int) -> None:
        """Let rogues act, and serve the orderly pair after each act."""
        for number in range(1, rounds + 1):
            client, level = self.rogue()
            sent = [
                mutated(self.rng, packet(self.rng, self.speak[level], self.wire))
                for _ in range(self.rng.randrange(1, 4))
            ]
            self.put(client, *sent)
            self.inputs += len(sent)
            self.heard(client, client.connection.level)
            if self.rng.random() < 0.1:
                client.vanish()
            if self.rng.random() < 0.1:
                self.bench.advance(self.rng.choice([0.5, 4.0]))
                self.bench.broker.check(self.bench.now)
                self.bench.pump()
            self.serve(number)
        for client, _ in self.rogues:
            self.heard(client, client.connection.level)
        assert not self.reader.closed
        assert not self.writer.closed

    def serve(self, number: int) -> None:
        """A message of the orderly pair is acknowledged and arrives once."""
        payload = b"%d" % number
        self.put(self.writer, self.speak[5].publish_bytes("good", payload, 1, number))
        assert [one.mid for one in self.heard(self.writer, 5) if one.kind == "puback"] == [number]
        got = [one for one in self.heard(self.reader, 5) if one.kind == "publish"]
        for one in got:
            self.put(self.reader, b"\x40\x02" + one.mid.to_bytes(2, "big"))
        assert [one.payload for one in got].count(payload) == 1


@given(rng=st.randoms(use_true_random=False), rounds=st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_mutated_input_of_both_versions(make_bench, speak, understand, wire, judge_sound, rng, rounds):
    """Whatever rogues of both versions send, an orderly pair is served after each segment, and the bookkeeping agrees."""
    episode = Episode(rng, make_bench, speak, understand, wire)
    episode.run(rounds)
    judge_sound(episode.bench)


@pytest.mark.skipif(os.environ.get("LABSIM_FUZZ") != "1", reason="LABSIM_FUZZ=1 runs 100,000 inputs")
@pytest.mark.timeout(3600)
def test_100_000_mutated_inputs(make_bench, speak, understand, wire, judge_sound):
    """The same at length."""
    inputs = number = 0
    while inputs < INPUTS:
        number += 1
        episode = Episode(Random(number), make_bench, speak, understand, wire)
        try:
            episode.run(25)
            judge_sound(episode.bench)
        except Exception as error:
            error.add_note(f"episode {number}")
            raise
        inputs += episode.inputs
