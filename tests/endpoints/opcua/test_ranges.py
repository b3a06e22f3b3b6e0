"""NumericRange on values no tag has yet: arrays and matrices."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.ranges import parse_range, read_range, write_range
from labsim.endpoints.opcua.core.status import Bad, S

VT = ua.VariantType
MATRIX = ua.Variant([[1, 2, 3], [4, 5, 6]], VT.Int32)
LIST = ua.Variant([10, 20, 30, 40], VT.Int32)
TEXTS = ua.Variant(["abc", "defg"], VT.String)


@pytest.mark.parametrize("text", ["", "a", "-1", "1:", ":2", "2:1", "1:1", "1,", "1:2:3", "²", "99999999999"])
def test_what_is_no_range(text: str) -> None:
    """A range is indices and first:last, nothing else (OPC 10000-4 §7.27)."""
    with pytest.raises(Bad) as refused:
        parse_range(text)
    assert refused.value.code == S.BadIndexRangeInvalid


@pytest.mark.parametrize(
    ("value", "text", "part"),
    [(LIST, "1", [20]), (LIST, "2:9", [30, 40]), (MATRIX, "1,0:1", [[4, 5]]), (TEXTS, "0:1,1:2", ["bc", "ef"])],
)
def test_parts_that_are_there(value: Any, text: str, part: Any) -> None:
    """A range that reaches beyond the end gives what there is."""
    assert read_range(value, text).Value == part


@pytest.mark.parametrize(("value", "text"), [(LIST, "4"), (MATRIX, "0"), (MATRIX, "2,0"), (ua.Variant(1), "0")])
def test_parts_that_are_not(value: Any, text: str) -> None:
    """Outside the array, or of other dimensions, there is no data."""
    with pytest.raises(Bad) as refused:
        read_range(value, text)
    assert refused.value.code == S.BadIndexRangeNoData


def test_writing_parts() -> None:
    """The part is replaced, the rest stays; a part of another shape or outside is refused."""
    new = ua.Variant([[40, 50]], VT.Int32)
    assert write_range(MATRIX, new, "1,0:1").Value == [[1, 2, 3], [40, 50, 6]]
    for text, code in (("1,0:2", S.BadIndexRangeDataMismatch), ("2,0:1", S.BadIndexRangeNoData)):
        with pytest.raises(Bad) as refused:
            write_range(MATRIX, new, text)
        assert refused.value.code == code
