"""A line of the journal is the same whether its event's lasting part was encoded before or not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.errors import EvidenceError
from labsim.evidence.encoding import Shape, encode, shaped
from labsim.evidence.event import Event, Record

STAMP = b',"seq":1,"t":2,"w":3,"m":4}'
texts = st.one_of(st.text(max_size=12), st.text(st.characters(), max_size=3))  # of the second some have lone surrogates
plain = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(), texts)
details = st.dictionaries(texts, st.one_of(plain, st.lists(plain, max_size=4)), max_size=4)


def read(**fields: Any) -> Event:
    """A read."""
    return Event(kind="read", protocol="opcua", **fields)


@settings(max_examples=200, deadline=None)
@given(
    who=st.fixed_dictionaries(dict.fromkeys(("client", "session", "app", "user", "thumb"), texts)),
    about=st.fixed_dictionaries(
        {"device": texts, "subject": texts, "tags": st.lists(texts, max_size=4), "status": st.integers(-1, 2**32)}
    ),
    detail=details,
    values=st.lists(st.lists(plain, max_size=4), min_size=1, max_size=3),
)
def test_shaped_events_give_the_plain_bytes(who: Any, about: Any, detail: Any, values: Any) -> None:
    """Whoever asks, and whatever the values are, lone surrogates and NaN too."""
    lasting = shaped(read(**about, detail=detail))
    assert lasting == detail
    for row in values:
        line = encode(read(**who, **about, values=row, detail=lasting), STAMP)
        assert line == encode(read(**who, **about, values=row, detail=detail), STAMP)
        msgspec.json.decode(line, type=Record)


def test_an_event_of_another_shape_is_encoded_as_it_is() -> None:
    """A device, a status or a list of tags that the shape was not made of is told all the same."""
    made = read(device="a", tags=["a.x"], detail={"nodes": ["n"]})
    lasting = shaped(made)
    assert isinstance(lasting, Shape)
    for other in ({"device": "b", "tags": made.tags}, {"device": "a", "tags": ["a.y"]}, {"device": "a", "status": 3}):
        event = read(detail=lasting, **other)
        assert encode(event, STAMP) == encode(read(detail={"nodes": ["n"]}, **other), STAMP)


def test_a_field_of_the_wrong_type_is_refused() -> None:
    """A shape saves the work of encoding, not the judgement of who is said to have done it."""
    wrong: Any = 5
    made = read(tags=["a.x"], detail={"nodes": ["n"]})
    with pytest.raises(EvidenceError, match="malformed"):
        encode(read(client=wrong, tags=made.tags, detail=shaped(made)), STAMP)
    assert not isinstance(shaped(read(device=wrong)), Shape)
