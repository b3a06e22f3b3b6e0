"""Polls: what is counted, what is kept, and when it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import EvidenceError
from labsim.evidence.event import Entry, Event
from labsim.evidence.polls import WINDOW_NS, Polls, one_by_one

MS = 1_000_000


def read(session: str = "s1", tag: str = "meter1.power") -> Event:
    """A good Modbus read."""
    detail = {"unit": 1, "fc": 3, "table": "holding", "address": 0, "count": 2, "raw": "43480000"}
    return Event(
        kind="read", protocol="modbus", session=session, device="meter1", tags=[tag], values=[1.5], detail=detail
    )


class Bench:
    """Polls before a list, with a clock that a test sets."""

    def __init__(self, needed: Callable[[Event], bool] = lambda event: False) -> None:
        self.now, self.kept = 0, list[Event]()
        self.polls = Polls(one_by_one(self.kept.append), needed, lambda: self.now)

    def ask(self, t_ms: float, session: str = "s1", tag: str = "meter1.power") -> None:
        """What an endpoint does with a good read."""
        self.now = round(t_ms * MS)
        if not self.polls.again(session, tag):
            event = read(session, tag)
            self.polls(event)
            self.polls.begin(event, tag)

    @property
    def kinds(self) -> list[str]:
        """Kinds of what was kept, in order."""
        return [event.kind for event in self.kept]


def test_the_first_read_is_kept_and_its_like_are_counted() -> None:
    """A second of reads is the first one whole and one poll with count, ends and intervals."""
    bench = Bench()
    for t_ms in (0, 100, 250, 300):
        bench.ask(t_ms)
    bench.polls.tell()
    assert bench.kinds == ["read", "poll"]
    poll = bench.kept[1]
    assert poll.detail == {
        "unit": 1, "fc": 3, "table": "holding", "address": 0, "count": 2,
        "reads": 3, "first": 100 * MS, "last": 300 * MS, "shortest": 50 * MS, "longest": 150 * MS,
    }  # fmt: skip
    assert (poll.session, poll.device, poll.tags, poll.values) == ("s1", "meter1", ["meter1.power"], [])


def test_each_second_has_its_own_poll() -> None:
    """The first read of a later second tells the one before, and its interval reaches back into it."""
    bench = Bench()
    for t_ms in (0, 900, 1900):
        bench.ask(t_ms)
    bench.polls.tell()
    assert [(e.detail["reads"], e.detail["first"] // MS) for e in bench.kept[1:]] == [(1, 900), (1, 1900)]
    assert bench.kept[2].detail["shortest"] == 1000 * MS


def test_what_is_due_is_told_without_a_further_read() -> None:
    """The lab tells seconds that have ended, and leaves the running one alone."""
    bench = Bench()
    for t_ms in (0, 500):
        bench.ask(t_ms)
    bench.polls.tell(WINDOW_NS - 1)
    assert bench.kinds == ["read"]
    bench.polls.tell(WINDOW_NS)
    assert bench.kinds == ["read", "poll"]
    bench.polls.tell(2 * WINDOW_NS)
    assert bench.kinds == ["read", "poll"]


def test_needed_reads_are_kept_one_by_one() -> None:
    """A read that a check looks at is never counted."""
    bench = Bench(lambda event: "meter1.power" in event.tags)
    for t_ms in range(5):
        bench.ask(t_ms)
        bench.ask(t_ms, tag="meter1.other")
    bench.polls.tell()
    assert bench.kinds.count("read") == 6
    assert bench.kept[-1].kind == "poll"
    assert bench.kept[-1].detail["reads"] == 4


@pytest.mark.parametrize("kind", ["write", "call", "close", "session", "subscribe"])
def test_what_a_session_did_before_stands_before(kind: str) -> None:
    """Anything but a read of a session comes after the reads before it; another session's polls wait."""
    bench = Bench()
    for session in ("s1", "s2"):
        bench.ask(0, session)
        bench.ask(1, session)
    bench.polls(Event(kind=kind, protocol="modbus", session="s1"))
    assert bench.kinds == ["read", "read", "poll", kind]
    assert bench.kept[2].session == "s1"


def test_an_event_of_the_lab_comes_after_all_that_was_read() -> None:
    """Before a check or the end of the lab every poll is told."""
    bench = Bench()
    for session in ("s1", "s2"):
        bench.ask(0, session)
        bench.ask(1, session)
    bench.polls(Event(kind="submit", protocol="lab"))
    assert bench.kinds == ["read", "read", "poll", "poll", "submit"]


def test_a_session_that_is_over_or_another_users_begins_anew() -> None:
    """After the end of a session, and after a change of its user, its first read is kept again."""
    for kind in ("close", "session-close", "session"):
        bench = Bench()
        bench.ask(0)
        bench.polls(Event(kind=kind, protocol="opcua", session="s1"))
        bench.ask(1)
        assert bench.kinds == ["read", kind, "read"]


def test_a_poll_that_could_not_be_kept_is_told_later() -> None:
    """A full disk loses no count: the next poll has it."""
    refuse = False
    kept: list[Event] = []

    def sink(event: Event) -> None:
        if refuse:
            raise EvidenceError("full")
        kept.append(event)

    polls = Polls(one_by_one(sink), lambda event: False)
    first = read()
    polls(first)
    polls.begin(first, 1)
    assert polls.again("s1", 1)
    refuse = True
    with pytest.raises(EvidenceError):
        polls.tell()
    refuse = False
    assert polls.again("s1", 1)
    polls.tell()
    assert [event.detail.get("reads") for event in kept] == [None, 2]


def test_a_scanner_is_kept_read_by_read() -> None:
    """A session that asks for a thousand different things does not grow without bound: what is beyond is kept."""
    bench = Bench()
    for _ in range(2):
        for number in range(1000):
            bench.ask(0, tag=f"meter1.t{number}")
    bench.polls.tell()
    counted = sum(event.detail["reads"] for event in bench.kept if event.kind == "poll")
    assert bench.kinds.count("read") + counted == 2000
    assert 0 < counted < 1000


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from("ab"), st.sampled_from("xy")), max_size=60))
def test_no_read_is_lost(asked: list[tuple[int, str, str]]) -> None:
    """Reads kept and reads counted are the reads that were made, and polls lie where they say."""
    bench = Bench()
    t = 0
    for gap, session, tag in asked:
        t += gap
        bench.ask(t, session, tag)
    bench.polls.tell()
    polls = [event for event in bench.kept if event.kind == "poll"]
    assert bench.kinds.count("read") + sum(event.detail["reads"] for event in polls) == len(asked)
    for event in polls:
        first, last = event.detail["first"], event.detail["last"]
        assert first <= last
        assert first // WINDOW_NS == last // WINDOW_NS
        assert 0 <= event.detail["shortest"] <= event.detail["longest"]


def test_what_came_together_is_kept_at_once() -> None:
    """Between `gather` and `settle` everything waits, in order; a poll takes what waits before it along."""
    kept = list[list[str]]()
    polls = Polls(
        lambda entries: kept.append([one.kind for one in entries if isinstance(one, Event)]), lambda event: False
    )
    polls(read())
    polls.begin(read(), 1)
    assert polls.again("s1", 1)
    polls.gather()
    polls(read("s2"))
    polls(Event(kind="write", protocol="modbus", session="s1"))
    assert kept == [["read"], ["read", "poll"]]
    polls(read("s2"))
    polls.settle()
    polls(read("s2"))
    assert kept[2:] == [["write", "read"], ["read"]]


def test_after_a_failure_nothing_of_the_segment_is_good() -> None:
    """Whatever could not be kept since `gather`, `settle` says so, though somebody passed over it; then all begins anew."""
    full = True

    def keep(_entries: object) -> None:
        if full:
            raise EvidenceError("full")

    polls = Polls(keep, lambda event: False)
    polls.begin(read(), 1)
    assert polls.again("s1", 1)
    polls.gather()
    with pytest.raises(EvidenceError):
        polls(Event(kind="write", protocol="modbus", session="s1"))
    full = False
    with pytest.raises(EvidenceError):
        polls.settle()
    polls.gather()
    polls(Event(kind="write", protocol="modbus", session="s1"))
    polls.settle()


@pytest.mark.parametrize("gathered", [False, True])
def test_what_a_request_did_is_told_though_the_poll_before_it_was_refused(gathered: bool) -> None:
    """The lab hears of every write, refused or not: it may have changed the plant already."""
    asked = list[str]()

    def keep(entries: Sequence[Entry]) -> None:
        asked.extend(one.kind for one in entries if isinstance(one, Event))
        raise EvidenceError("full")

    polls = Polls(keep, lambda event: False)
    polls.begin(read(), 1)
    assert polls.again("s1", 1)
    if gathered:
        polls.gather()
    for _ in range(2):
        with pytest.raises(EvidenceError):
            polls(Event(kind="write", protocol="modbus", session="s1"))
    assert asked == ["poll", "write", "poll", "write"]
