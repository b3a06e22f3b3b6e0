"""A line of the journal is the same whether what lasts of its event was encoded before or not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.errors import EvidenceError
from labsim.evidence.encoding import encode, template, who
from labsim.evidence.event import Event, Record

STAMP = b',"seq":1,"t":2,"w":3,"m":4}'
texts = st.one_of(st.text(max_size=12), st.text(st.characters(), max_size=3))  # of the second some have lone surrogates
numbers = st.one_of(st.booleans(), st.integers(-(2**63), 2**63), st.floats())
plain = st.one_of(st.none(), numbers, texts)
details = st.dictionaries(texts, st.one_of(plain, st.lists(plain, max_size=4)), max_size=4)


def read(**fields: Any) -> Event:
    """A read."""
    return Event(kind="read", protocol="opcua", **fields)


@settings(max_examples=200, deadline=None)
@given(
    peer=st.fixed_dictionaries(dict.fromkeys(("client", "session", "app", "user", "thumb"), texts)),
    about=st.fixed_dictionaries(
        {"device": texts, "subject": texts, "tags": st.lists(texts, max_size=4), "status": st.integers(-1, 2**32)}
    ),
    detail=details,
    varying=st.sampled_from(["", "old", 'r"aw']),
    after=details,
    told=st.lists(st.tuples(st.lists(numbers, max_size=4), numbers), min_size=1, max_size=3),
)
def test_a_template_gives_the_plain_bytes(
    peer: Any, about: Any, detail: Any, varying: str, after: Any, told: Any
) -> None:
    """Whoever acts, whatever the values are, NaN too, and wherever the detail that differs stands."""
    detail = {key: value for key, value in detail.items() if key != varying}
    after = {key: value for key, value in after.items() if key != varying}

    def made(values: list[Any], last: Any) -> Event:
        return read(**peer, **about, values=values, detail=detail | ({varying: last} if varying else {}) | after)

    known, acting = template(made([], None), varying), who(made([], None))
    legible = "\\ud" not in repr([peer, about, detail, after])  # a lone surrogate is not
    assert not legible or (known is not None and acting is not None)
    for values, last in told:
        body = encode(made(values, last))
        msgspec.json.decode(body + STAMP, type=Record)
        if known is not None and acting is not None:
            assert known.body(acting, values, last) == body


def test_what_json_does_not_hold_has_no_template() -> None:
    """Lone surrogates and fields of the wrong type are left to `encode`, which makes them legible or refuses them."""
    wrong: Any = 5
    assert template(read(device="\ud800")) is None
    assert template(read(device=wrong)) is None
    assert who(read(client="\ud800")) is None
    assert who(read(client=wrong)) is None
    with pytest.raises(EvidenceError, match="malformed"):
        encode(read(client=wrong))
