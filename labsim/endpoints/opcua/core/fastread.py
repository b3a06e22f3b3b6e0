"""Compiled reads: a client that polls sends the same bytes again and again, so a Read of tags is planned once.

The key of a plan is the role of the user and all bytes behind the request header. Every check of the slow way is either
part of the key or made here, and a plan's answer is byte for byte that of the slow way.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from asyncua import ua
from numpy.typing import NDArray

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import NO_DIAGNOSTICS, decode, response_header
from labsim.endpoints.opcua.core.happening import Happening, ReadFacts, ReadSubject
from labsim.endpoints.opcua.core.nodeid import key_of
from labsim.endpoints.opcua.core.status import Bad
from labsim.endpoints.opcua.core.store import ValueStore
from labsim.endpoints.opcua.core.values import NUMPY

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.connection import Connection
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.session import Session

REQUEST = b"\x01\x00\x77\x02"
_READ_RESPONSE = int(ua.ObjectIds.ReadResponse_Encoding_DefaultBinary)
_HEADER = struct.Struct("<qIIi")  # timestamp, handle, diagnostics, length of the audit id
_HEADER_END = b"\0\0\0"  # no AdditionalHeader
_AFTER_AUDIT = 4 + len(_HEADER_END)  # timeout hint, AdditionalHeader
_MASK = (0x05, 0x09, 0x0D, 0x01)  # by TimestampsToReturn: value, source time, server time
_MAX_PLANS, _MAX_KEY, _MAX_AUDIT = 256, 32_768, 4096


class Plan:
    """Rows of the store and a structured array with the answer's layout: no loop over nodes is left."""

    def __init__(self, rows: Sequence[int], kinds: Sequence[int], timestamps: int, subject: ReadSubject) -> None:
        self.rows, self.subject = np.array(rows, np.intp), subject
        self._count = struct.pack("<i", len(rows))
        self._source, self._server = timestamps in (0, 2), timestamps in (1, 2)
        times = [("source", "<i8")] * self._source + [("server", "<i8")] * self._server
        self._parts: list[tuple[Any, Any]] = []  # places in the request and the views of the answer they fill
        layouts = {
            kind: np.dtype([("mask", "u1"), ("type", "u1"), ("value", NUMPY[kind]), *times]) for kind in set(kinds)
        }
        sizes = [layouts[kind].itemsize for kind in kinds]
        starts = np.concatenate(([0], np.cumsum(sizes)))
        self._answer = np.zeros(int(starts[-1]), "u1")
        for kind, layout in layouts.items():
            places = np.array([at for at, other in enumerate(kinds) if other == kind], np.intp)
            records = np.zeros(len(places), layout)
            records["mask"], records["type"] = _MASK[timestamps], kind
            spots = starts[places][:, None] + np.arange(layout.itemsize)
            self._parts.append((places, (records, spots)))

    def run(self, store: ValueStore, now: int) -> tuple[bytes, NDArray[np.float64]]:
        """Encoded DataValues with their count, and the values as numbers."""
        value = store.value.take(self.rows)
        source = store.source_time.take(self.rows) // 100 + store.origin if self._source else None
        for places, (records, spots) in self._parts:
            records["value"] = value[places]
            if source is not None:
                records["source"] = source[places]
            if self._server:
                records["server"] = now
            if len(self._parts) == 1:  # all of one type lie as they are sent
                return self._count + records.tobytes(), value
            self._answer[spots] = records.view("u1").reshape(spots.shape)
        return self._count + self._answer.tobytes(), value


Plans: TypeAlias = "OrderedDict[tuple[str, bytes], Plan | None]"
"""Plans by key; None for what has to go the slow way."""


def answer(connection: Connection, session: Session, body: bytes) -> bytes | None:
    """The response to a Read, or None when the slow way has to make it."""
    token = session.token_raw
    if session.connection is not connection or session.closed or not body.startswith(token, len(REQUEST)):
        return None
    at = len(REQUEST) + len(token)
    if len(body) < at + _HEADER.size + _AFTER_AUDIT:
        return None
    _, handle, _, audit = _HEADER.unpack_from(body, at)
    at += _HEADER.size + max(audit, 0) + 4
    if audit > _MAX_AUDIT or body[at : at + len(_HEADER_END)] != _HEADER_END:
        return None
    server, store = connection.server, connection.server.store
    plan = _find(server, session, body[at + len(_HEADER_END) :])
    if plan is None or np.count_nonzero(store.status.take(plan.rows)):  # a status has to be encoded
        return None
    session.last = server.monotonic()
    encoded, values = plan.run(store, store.now())
    response = response_header(_READ_RESPONSE, handle) + encoded + NO_DIAGNOSTICS
    if 0 < session.max_response < len(response) or not connection.channel.fits(len(response)):
        return None
    connection.tell(Happening("Read", connection, session, facts=ReadFacts(plan.subject, None, values)))
    return response


def _find(server: Server, session: Session, asked: bytes) -> Plan | None:
    assert session.identity is not None
    key = (session.identity.role, asked)
    plans = server.plans
    if key in plans:
        return plans[key]
    if len(asked) > _MAX_KEY:
        return None
    plan = plans[key] = _compile(server, session, asked)
    if len(plans) > _MAX_PLANS:
        plans.popitem(last=False)
    return plan


def _compile(server: Server, session: Session, asked: bytes) -> Plan | None:
    """A plan when every node is a readable tag that is a number, read whole; else None."""
    try:
        parameters = decode(ua.ReadParameters, asked)
    except Bad:
        return None
    timestamps, wanted = int(parameters.TimestampsToReturn), parameters.NodesToRead
    if not wanted or len(wanted) > server.limits.max_nodes_per_read or not parameters.MaxAge >= 0:
        return None
    if not 0 <= timestamps < len(_MASK):
        return None
    rows, kinds, keys = [], [], []
    for one in wanted:
        encoding = one.DataEncoding
        if one.AttributeId != nodes.VALUE or one.IndexRange or (encoding.Name or encoding.NamespaceIndex):
            return None
        node = server.space.get(key_of(one.NodeId))
        if node is None or node.row < 0 or server.store.builtin(node.row) not in NUMPY:
            return None
        readable = node.attributes[nodes.ACCESS_LEVEL] & nodes.CURRENT_READ
        restricted = nodes.ACCESS_RESTRICTIONS in node.attributes  # a plan does not know the channel
        allowed = all(server.may(session.identity, operation, node) for operation in ("browse", "read"))
        if restricted or not readable or not allowed:
            return None
        rows.append(node.row)
        kinds.append(server.store.builtin(node.row))
        keys.append(node.key)
    return Plan(rows, kinds, timestamps, ReadSubject(keys, [nodes.VALUE] * len(keys)))
