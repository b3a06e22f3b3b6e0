"""EventFilter (OPC 10000-4 §7.22.3): which fields an item tells, and of which events."""

from __future__ import annotations

import struct
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import variant_to_binary

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.event import BASE_EVENT, Event, Path, known_fields
from labsim.endpoints.opcua.core.happening import EventFilterFact
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import key_of
from labsim.endpoints.opcua.core.nodes import OBJECT_TYPE, Space
from labsim.endpoints.opcua.core.ranges import parse_range, read_range
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.where import Where

MOST_FIELDS = 200
_NULL = b"\x00"


class BadFilter(Bad):
    """A filter that is refused, with the EventFilterResult that says where."""

    def __init__(self, code: int, result: Any) -> None:
        super().__init__(code)
        self.args = (code, result)
        self.result = result


class EventFilter:
    """A checked filter.

    A select clause that cannot be had is null in every event, as its result says, as long as there is a good one.

    Attributes:
        result: The EventFilterResult; without any list that would hold nothing but Good.

    Raises:
        Bad: BadEventFilterInvalid, when there is no good select clause; `BadFilter` when the where clause is wrong.
    """

    def __init__(self, space: Space, given: Any) -> None:
        self._space = space
        selects = given.SelectClauses or []
        if not 0 < len(selects) <= MOST_FIELDS:
            raise Bad(S.BadEventFilterInvalid, f"between 1 and {MOST_FIELDS} select clauses")
        codes = [self._check(select) for select in selects]
        self._selects: list[tuple[Path, str] | None] = [
            None if code else (_path(select), select.IndexRange or "")
            for code, select in zip(codes, selects, strict=True)
        ]
        elements = (given.WhereClause.Elements or []) if given.WhereClause is not None else []
        self._where = Where(space, elements, self._check)
        self.result = ua.EventFilterResult()
        if any(codes):
            self.result.SelectClauseResults = [ua.StatusCode(code) for code in codes]
        if self._where.bad:
            self.result.WhereClauseResult.ElementResults = self._where.results
            raise BadFilter(int(S.BadEventFilterInvalid), self.result)
        if all(codes):
            raise BadFilter(int(S.BadEventFilterInvalid), self.result)

    def _check(self, select: Any) -> int:
        """The status of a SimpleAttributeOperand (§7.7.4.5)."""
        kind = BASE_EVENT if select.TypeDefinitionId.is_null() else key_of(select.TypeDefinitionId)
        node = self._space.get(kind)
        if node is None or node.cls != OBJECT_TYPE or kind not in self._space.subtypes(BASE_EVENT):
            return int(S.BadTypeDefinitionInvalid)
        where = _path(select)
        if select.AttributeId != (nodes.VALUE if where else nodes.NODE_ID):
            return int(S.BadAttributeIdInvalid)
        if where not in known_fields(self._space, kind):
            return int(S.BadNodeIdUnknown)
        if select.IndexRange:
            try:
                parse_range(select.IndexRange)
            except Bad as error:
                return error.code
        return 0

    def told(self) -> EventFilterFact:
        """What an observer is told of it."""
        chosen = [one[0] for one in self._selects if one is not None]
        return EventFilterFact(
            ["/".join(name for _, name in path) or "ConditionId" for path in chosen], self._where.told()
        )

    def passes(self, event: Event, locales: Locales) -> bool:
        """Whether the where clause lets an event through."""
        return self._where.passes(event, locales)

    def fields(self, event: Event, locales: Locales) -> bytes:
        """The encoded array of the selected fields; what the event does not have is null."""
        parts = [struct.pack("<i", len(self._selects))]
        for select in self._selects:
            variant = event.field(select[0], locales) if select is not None else None
            if variant is not None and select is not None and select[1]:
                try:
                    variant = read_range(variant, select[1])
                except Bad as error:
                    variant = ua.Variant(ua.StatusCode(error.code), ua.VariantType.StatusCode)
            parts.append(_NULL if variant is None else variant_to_binary(variant))
        return b"".join(parts)


def _path(select: Any) -> Path:
    return tuple((name.NamespaceIndex, name.Name) for name in select.BrowsePath or ())
