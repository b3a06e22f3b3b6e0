"""Records by what they are about, and the columns of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import Manifest
from labsim.evidence.rows import Rows

PROTOCOLS, KINDS, DEVICES = ("modbus", "opcua", "mqtt"), ("read", "write", "open"), ("", "a", "b")
RECORDS = st.lists(
    st.tuples(*map(st.sampled_from, (PROTOCOLS, KINDS, DEVICES)), st.sampled_from([0, 0, -1, 2, 0x8034_0000]))
)


def evidence_of(said: list[tuple[Any, ...]], tmp_path: Path) -> Evidence:
    """An attempt with such records: protocol, kind, device and status of each."""
    records = [
        Record(kind=kind, protocol=protocol, device=device, status=status, seq=seq, t=seq * 10, w=0, m=0)
        for seq, (protocol, kind, device, status) in enumerate(said, 1)
    ]
    manifest = Manifest.new(
        scenario="s", title={"en": "S"}, seed="1", variants={}, speed=1.0, lang="en", utc_origin_ns=0
    )
    return Evidence(tmp_path, manifest, [], records, "")


@given(
    RECORDS,
    st.none() | st.sampled_from(PROTOCOLS),
    st.none() | st.sampled_from(KINDS) | st.sampled_from([("read", "write"), ("write", "read", "none")]),
    st.none() | st.sampled_from([*DEVICES, "c"]),
)
def test_a_choice_of_records_is_what_a_look_at_each_finds(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[tuple[Any, ...]],
    protocol: str | None,
    kind: str | tuple[str, ...] | None,
    device: str | None,
) -> None:
    """Records of a protocol, one or several kinds and a device, whichever is given, are all there are, in their order."""
    evidence = evidence_of(said, tmp_path_factory.getbasetemp())
    kinds = (kind,) if isinstance(kind, str) else kind
    chosen = [
        record
        for record in evidence.records
        if (protocol is None or record.protocol == protocol)
        and (kinds is None or record.kind in kinds)
        and (device is None or record.device == device)
    ]
    assert evidence.of(protocol, kind, device) == chosen
    assert evidence.of(protocol, kind, device) is evidence.of(protocol, kind, device)


def test_columns_are_made_once_and_cannot_be_changed(tmp_path: Path) -> None:
    """Times and statuses of records stand in arrays that every check shares."""
    rows = evidence_of(
        [("modbus", "read", "a", 0), ("modbus", "read", "a", -1), ("opcua", "read", "a", 2**31)], tmp_path
    )
    assert rows.records.times.tolist() == [10, 20, 30]
    assert rows.records.statuses.tolist() == [0, -1, 2**31]
    assert rows.records.times is rows.records.times
    assert [record.seq for record in rows.records.good] == [1]
    with pytest.raises(ValueError, match="read-only"):
        rows.records.times[0] = 1
    assert Rows().times.tolist() == []
