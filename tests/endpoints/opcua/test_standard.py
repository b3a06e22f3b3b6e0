"""Namespace 0: the table that servers read is what asyncua's generated code builds."""

from __future__ import annotations

import zlib

from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.core.standard_build import TABLE, build, pack

AGAIN = "run python -m labsim.endpoints.opcua.core.standard_build: asyncua has another model"


def test_the_table_is_what_asyncua_has() -> None:
    """Line for line; when asyncua's model changes, the table has to be written anew."""
    assert zlib.decompress(TABLE.read_bytes()) == zlib.decompress(pack(build())), AGAIN


def test_every_node_comes_out_of_the_table_as_it_went_in() -> None:
    """Packed again, all 6,000 nodes are the same bytes."""
    space = standard_space()
    nodes = {key: space[key] for key in space.own_keys()}
    assert len(space) == len(nodes) > 6000
    assert zlib.decompress(pack(nodes)) == zlib.decompress(TABLE.read_bytes())


def test_a_node_is_made_once() -> None:
    """Whoever asks again gets the same object; one that is not there is None."""
    space = standard_space()
    assert space.get(2253) is space.get(2253)
    assert space.get(1) is not None
    assert space.get(999_999) is None
