"""The shapes of the control API, and what happens to everything that has another shape."""

from __future__ import annotations

import contextlib

import pytest
from canned import CannedLab
from hypothesis import given
from hypothesis import strategies as st

from labsim.client.records import FeedEntry, Lab, Verdict, read
from labsim.errors import ControlError
from labsim.text import LANGUAGES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_contract_is_read_whole(lang: str) -> None:
    """A lab as the contract writes it becomes a record with nothing lost that a face shows."""
    lab = read(Lab, CannedLab().lab(lang))
    assert [task.id for task in lab.tasks] == ["tables", "orders", "decode", "poll", "limits"]
    assert (lab.tasks[1].hints.left, lab.tasks[1].hints.next_cost) == (3, 1)
    assert (lab.endpoints[0].device, lab.endpoints[0].unit, lab.endpoints[3].users[0].password) == (
        "meter1",
        11,
        "fill-7301",
    )
    verdict = read(Verdict, CannedLab().check(None, lang))
    assert (verdict.score, verdict.max, len(verdict.penalties)) == (7, 30, 1)


def test_fields_of_a_later_version_are_ignored() -> None:
    """A host may add fields; an older face goes on working."""
    document = CannedLab().lab("en") | {"weather": "fair"}
    document["tasks"][0]["colour"] = "blue"
    assert read(Lab, document).tasks[0].id == "tables"


def test_message_names_the_field() -> None:
    """What does not fit is named, with what to do about it."""
    with pytest.raises(ControlError, match=r"\$\.tasks\[0\].*same version"):
        read(Lab, CannedLab().lab("en") | {"tasks": [3]})


@given(JSON, st.sampled_from([Lab, Verdict, FeedEntry]))
def test_any_json_is_read_or_refused(answer: object, kind: type) -> None:
    """Any JSON becomes a record or one ControlError."""
    with contextlib.suppress(ControlError):
        assert isinstance(read(kind, answer), kind)
