from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from grader.topic import TopicFilter

FIELD: TypeAdapter[str] = TypeAdapter(TopicFilter)


@pytest.mark.parametrize("good", ["a", "a/b", "/a", "+", "#", "a/+/c", "a/#", "$share/g/a/#", "+/+"])
def test_a_filter_of_the_standard_is_taken(good: str) -> None:
    """`+` and `#` are whole levels, and `#` is the last one (MQTT 5.0 §4.7.1)."""
    assert FIELD.validate_python(good) == good


@pytest.mark.parametrize(
    ("bad", "said"), [("a/#/b", "last level"), ("a/b#", "stand alone"), ("a+/b", "stand alone"), ("", "at least 1")]
)
def test_a_filter_that_takes_nothing_is_told(bad: str, said: str) -> None:
    """When the scenario is read: no message would ever be on it."""
    with pytest.raises(ValidationError, match=said):
        FIELD.validate_python(bad)
