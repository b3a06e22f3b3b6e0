"""Event filters (OPC 10000-4 §7.22.3, §7.7): clauses are judged one by one, where is three-valued and always ends."""

from __future__ import annotations

import fnmatch
import itertools
from typing import Any

import pytest
from asyncua import ua
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.event import Event, path
from labsim.endpoints.opcua.core.eventfilter import BadFilter, EventFilter
from labsim.endpoints.opcua.core.like import like
from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.core.status import Bad
from labsim.endpoints.opcua.core.where import both, either

S, VT, OP = ua.StatusCodes, ua.VariantType, ua.FilterOperator
BASE, ALARM, LIMIT = 2041, 2915, 2955
EVENT = Event(
    LIMIT,
    2253,
    0,
    {
        path("Severity"): ua.Variant(500, VT.UInt16),
        path("Message"): {"en": "Tank is full", "zh-Hant": "滿"},
        path("SourceName"): ua.Variant("tank1", VT.String),
        path("SourceNode"): ua.Variant(ua.NodeId("tank1", 2), VT.NodeId),
        path("ActiveState", "Id"): ua.Variant(True, VT.Boolean),
        path("EventId"): ua.Variant(b"\x01\x02", VT.ByteString),
    },
)


def field(*names: str, type_: int = BASE, attribute: int = 13) -> Any:
    """A SimpleAttributeOperand."""
    operand = ua.SimpleAttributeOperand()
    operand.TypeDefinitionId, operand.AttributeId = ua.NodeId(type_), attribute
    operand.BrowsePath = [ua.QualifiedName(name, 0) for name in names]
    return operand


def literal(value: Any, kind: Any = None) -> Any:
    """A LiteralOperand."""
    operand = ua.LiteralOperand()
    operand.Value = ua.Variant(value, kind) if kind is not None else ua.Variant(value)
    return operand


def element(index: int) -> Any:
    """An ElementOperand."""
    operand = ua.ElementOperand()
    operand.Index = index
    return operand


def where(*elements: tuple[Any, list[Any]]) -> Any:
    """An EventFilter of Severity with a where clause."""
    filter_ = ua.EventFilter()
    filter_.SelectClauses = [field("Severity")]
    filter_.WhereClause.Elements = []
    for operator, operands in elements:
        one = ua.ContentFilterElement()
        one.FilterOperator, one.FilterOperands = operator, operands
        filter_.WhereClause.Elements.append(one)
    return filter_


def passes(*elements: tuple[Any, list[Any]], locales: tuple[str, ...] = ()) -> bool:
    """Whether the event passes a where clause."""
    return EventFilter(standard_space(), where(*elements)).passes(EVENT, locales)


def refused(filter_: Any) -> Any:
    """The result of a filter that is refused."""
    with pytest.raises(BadFilter) as caught:
        EventFilter(standard_space(), filter_)
    assert caught.value.code == S.BadEventFilterInvalid
    return caught.value.result


SEVERITY, MISSING = field("Severity"), field("Comment", type_=2782)


@pytest.mark.parametrize(
    ("operator", "operands", "result"),
    [
        (OP.Equals, [SEVERITY, literal(500)], True),
        (OP.Equals, [SEVERITY, literal(500.0)], True),
        (OP.Equals, [SEVERITY, literal("500")], True),
        (OP.Equals, [SEVERITY, literal("many")], False),
        (OP.Equals, [literal(True), literal("true")], True),
        (OP.Equals, [literal(True), literal(1)], True),
        (OP.Equals, [MISSING, MISSING], False),
        (OP.Equals, [field("SourceNode"), literal(ua.NodeId("tank1", 2))], True),
        (OP.Equals, [field("EventId"), literal(b"\x01\x02")], True),
        (OP.Equals, [field("SourceName"), literal(ua.LocalizedText("tank1"))], True),
        (OP.GreaterThan, [SEVERITY, literal(499)], True),
        (OP.GreaterThan, [SEVERITY, literal(500)], False),
        (OP.GreaterThan, [field("SourceNode"), literal(5)], False),
        (OP.GreaterThanOrEqual, [SEVERITY, literal(500)], True),
        (OP.LessThan, [SEVERITY, literal(501)], True),
        (OP.LessThanOrEqual, [SEVERITY, literal(499)], False),
        (OP.Between, [SEVERITY, literal(500), literal(500)], True),
        (OP.Between, [SEVERITY, literal(1), literal(499)], False),
        (OP.InList, [SEVERITY, literal(1), literal(500)], True),
        (OP.InList, [SEVERITY, literal(1), literal(2)], False),
        (OP.InList, [SEVERITY, MISSING, literal(500)], True),
        (OP.Like, [field("Message"), literal("Tank%")], True),
        (OP.Like, [field("Message"), literal("tank%")], False),
        (OP.Like, [SEVERITY, literal("5%")], False),
        (OP.IsNull, [MISSING], True),
        (OP.IsNull, [SEVERITY], False),
        (OP.Not, [literal(False)], True),
        (OP.Not, [MISSING], False),
        (OP.And, [literal(True), literal(True)], True),
        (OP.And, [literal(True), MISSING], False),
        (OP.Or, [MISSING, literal(True)], True),
        (OP.Or, [MISSING, literal(False)], False),
        (OP.OfType, [literal(ua.NodeId(ALARM))], True),
        (OP.OfType, [literal(ua.NodeId(9341))], False),
    ],
)
def test_an_operator(operator: Any, operands: list[Any], result: bool) -> None:
    """Each operator of the standard event profile, with the conversions of OPC 10000-4 §7.7.3."""
    assert passes((operator, operands)) is result


def test_elements_refer_to_later_ones() -> None:
    """Not(IsNull(x)) and arithmetic on bits, through ElementOperands."""
    assert passes((OP.Not, [element(1)]), (OP.IsNull, [SEVERITY]))
    assert passes((OP.Equals, [element(1), literal(4)]), (OP.BitwiseAnd, [SEVERITY, literal(4)]))
    assert passes((OP.Equals, [element(1), literal(508)]), (OP.BitwiseOr, [SEVERITY, literal(12)]))
    assert passes((OP.Equals, [element(1), literal("500")]), (OP.Cast, [SEVERITY, literal(ua.NodeId(12))]))
    assert not passes((OP.Not, [element(1)]), (OP.IsNull, [element(2)]), (OP.Cast, [SEVERITY, literal(ua.NodeId(3))]))


def test_texts_are_compared_in_the_sessions_language() -> None:
    """A LocalizedText is what the session sees of it."""
    assert passes((OP.Equals, [field("Message"), literal("滿")]), locales=("zh-Hant",))


def test_three_values() -> None:
    """And and Or of true, false and unknown are Kleene's (OPC 10000-4 §7.7.3)."""
    rank = {False: 0, None: 1, True: 2}
    for one, other in itertools.product((False, None, True), repeat=2):
        assert rank[both(one, other)] == min(rank[one], rank[other])
        assert rank[either(one, other)] == max(rank[one], rank[other])


@pytest.mark.parametrize(
    ("elements", "code", "operands"),
    [
        ([(OP.InView, [literal(ua.NodeId(85))])], S.BadFilterOperatorUnsupported, []),
        ([(OP.RelatedTo, [literal(1)] * 6)], S.BadFilterOperatorUnsupported, []),
        ([(OP.Equals, [SEVERITY])], S.BadFilterOperandCountMismatch, []),
        ([(OP.Between, [SEVERITY, literal(1)])], S.BadFilterOperandCountMismatch, []),
        ([(OP.Not, [element(0)])], S.BadFilterOperandInvalid, [S.BadFilterOperandInvalid]),
        ([(OP.Not, [element(9)])], S.BadFilterOperandInvalid, [S.BadFilterOperandInvalid]),
        ([(OP.OfType, [SEVERITY])], S.BadFilterOperandInvalid, [S.BadFilterOperandInvalid]),
        ([(OP.OfType, [literal(ua.NodeId(85))])], S.BadFilterOperandInvalid, [S.BadFilterOperandInvalid]),
        ([(OP.Equals, [field("Nothing"), literal(1)])], S.BadFilterOperandInvalid, [S.BadNodeIdUnknown, 0]),
        ([(OP.Equals, [ua.AttributeOperand(), literal(1)])], S.BadFilterOperandInvalid, [S.BadFilterOperandInvalid, 0]),
    ],
)
def test_a_wrong_where_is_told_element_by_element(elements: list[Any], code: int, operands: list[int]) -> None:
    """The EventFilterResult has a status per element, and one per operand where an operand is wrong (§7.7.2)."""
    result = refused(where(*elements)).WhereClauseResult.ElementResults[0]
    assert result.StatusCode.value == code
    assert [one.value for one in result.OperandStatusCodes or []] == operands


def test_a_wrong_select_is_null_and_told() -> None:
    """A filter with one good clause works; the results name the others (§7.22.3)."""
    filter_ = ua.EventFilter()
    filter_.SelectClauses = [
        field("Severity"), field("Nothing"), field("Severity", type_=85), field("Severity", attribute=4), field(),
        field(attribute=1, type_=2782), field("ActiveState", "Id"),
    ]  # fmt: skip
    checked = EventFilter(standard_space(), filter_)
    assert [one.value for one in checked.result.SelectClauseResults] == [
        0, S.BadNodeIdUnknown, S.BadTypeDefinitionInvalid, S.BadAttributeIdInvalid, S.BadAttributeIdInvalid, 0, 0,
    ]  # fmt: skip
    assert checked.fields(EVENT, ()) == b"\x07\0\0\0" + b"\x05\xf4\x01" + b"\0" * 5 + b"\x01\x01"
    filter_.SelectClauses = [field("Nothing")]
    assert len(refused(filter_).SelectClauseResults) == 1


def test_a_filter_has_a_size() -> None:
    """No select clause, 201 of them, and 101 elements are refused."""
    for filter_ in (ua.EventFilter(), where(*[(OP.IsNull, [SEVERITY])] * 101)):
        with pytest.raises(Bad):
            EventFilter(standard_space(), filter_)
    filter_.SelectClauses = [SEVERITY] * 201
    with pytest.raises(Bad):
        EventFilter(standard_space(), filter_)


def test_an_exponential_tree_is_evaluated_once_per_element() -> None:
    """A hundred elements that each refer twice to the next take a hundred steps."""
    elements = [(OP.And, [element(at + 1)] * 2) for at in range(99)]
    assert passes(*elements, (OP.Equals, [literal(1), literal(1)]))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64), st.floats(), st.text(max_size=8), st.binary(max_size=4),
    st.uuids(), st.datetimes(), st.builds(lambda n: ua.NodeId(n, 0), st.integers(0, 10_000)),
    st.builds(ua.LocalizedText, st.text(max_size=5)), st.builds(ua.StatusCode, st.integers(0, 2**32 - 1)),
    st.lists(st.integers(0, 9), max_size=3), st.builds(lambda t: ua.QualifiedName(t, 0), st.text(max_size=5)),
)  # fmt: skip


class Literal(ua.LiteralOperand):  # type: ignore[misc, name-defined]  # asyncua's classes have no types
    """A LiteralOperand that holds anything, as the decoder may make it."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.Value = type("Holder", (), {"Value": value})()


OPERANDS = st.one_of(
    st.builds(Literal, VALUES), st.builds(element, st.integers(0, 7)), st.just(SEVERITY), st.just(field("Message")),
    st.just(field("Nothing")), st.just(ua.AttributeOperand()),
)  # fmt: skip
ELEMENTS = st.lists(st.tuples(st.sampled_from(list(OP)), st.lists(OPERANDS, max_size=4)), max_size=8)


@settings(max_examples=300, deadline=None)
@given(ELEMENTS)
def test_no_filter_breaks_the_core(elements: list[Any]) -> None:
    """Whatever a where clause holds, it is refused with results or it gives a truth."""
    filter_ = where(*elements)
    try:
        checked = EventFilter(standard_space(), filter_)
    except Bad:
        return
    assert checked.passes(EVENT, ()) in (True, False)


@given(VALUES, VALUES, st.sampled_from([OP.Equals, OP.GreaterThan, OP.LessThan, OP.Like, OP.BitwiseAnd, OP.InList]))
def test_any_two_values_can_be_compared(one: Any, other: Any, operator: Any) -> None:
    """Good operands of any type never raise."""
    checked = EventFilter(standard_space(), where((operator, [Literal(one), Literal(other)])))
    assert checked.passes(EVENT, ()) in (True, False)


@given(VALUES, st.integers(1, 25))
def test_any_value_can_be_cast(value: Any, kind: int) -> None:
    """A cast that cannot be done is null."""
    try:
        checked = EventFilter(
            standard_space(), where((OP.Not, [element(1)]), (OP.Cast, [Literal(value), literal(ua.NodeId(kind))]))
        )
    except BadFilter:
        return
    checked.passes(EVENT, ())


@pytest.mark.parametrize(
    ("text", "pattern", "result"),
    [
        ("main", "main%", True), ("the main one", "%main%", True), ("abc", "a_c", True), ("ac", "a_c", False),
        ("abc", "[a-c]bc", True), ("dbc", "[a-c]bc", False), ("dbc", "[^a-c]bc", True), ("50%", "50\\%", True),
        ("505", "50\\%", False), ("a[", "a[", True), ("", "%", True), ("", "_", False), ("a\nb", "a_b", True), ("", "", True),
    ],
)  # fmt: skip
def test_like(text: str, pattern: str, result: bool) -> None:
    """The wildcards of OPC 10000-4 §7.7.3."""
    assert like(text, pattern) is result


@given(st.text("ab%_", max_size=12), st.text("ab", max_size=12))
def test_like_agrees_with_the_shell(pattern: str, text: str) -> None:
    """% and _ are the shell's * and ?."""
    shell = pattern.replace("%", "*").replace("_", "?")
    assert like(text, pattern) == fnmatch.fnmatchcase(text, shell)


def test_like_does_not_explode() -> None:
    """A pattern that sends a backtracking matcher into 2^n takes no time."""
    assert not like("a" * 5000, "%a" * 40 + "b")
