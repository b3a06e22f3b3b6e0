"""An OPC UA server of a lab whose namespaces and node ids are drawn per seat, with a model of the instructor's beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncua import Client

from grader.checks import load
from labsim.errors import ScenarioError
from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario

LAYOUT = """
      namespaces: drawn
      node_ids: numeric
      nodesets: [models/rooms.xml]
"""
ROOMS = """<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">
<NamespaceUris><Uri>urn:test:rooms</Uri></NamespaceUris>
<UAObject NodeId="ns=1;i=1" BrowseName="1:Rooms"><DisplayName>Rooms</DisplayName>
<References><Reference ReferenceType="i=40">i=61</Reference>
<Reference ReferenceType="i=35" IsForward="false">i=85</Reference></References></UAObject>
</UANodeSet>"""
SPEED = ("Machines", "mill1", "Monitoring", "Spindle1", "Speed")


def write_scenario(folder: Path, layout: str = LAYOUT, rooms: str = ROOMS) -> Path:
    """First-contact with options of its OPC UA server."""
    (folder / "models").mkdir(parents=True)
    for file in find_scenario("first-contact").iterdir():
        if file.is_file():
            folder.joinpath(file.name).write_bytes(file.read_bytes())
    path = folder / "scenario.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("      devices: [mill1]\n", f"      devices: [mill1]{layout}"), encoding="utf-8")
    (folder / "models" / "rooms.xml").write_text(rooms, encoding="utf-8")
    return folder


async def look(lab: Lab) -> tuple[str, list[str]]:
    """The node id of the speed, found by names alone and read; and the namespaces."""
    url = next(str(address["url"]) for address in lab.addresses() if address["protocol"] == "opcua")
    async with Client(url, timeout=60) as client:
        node = client.nodes.objects
        for name in SPEED:
            below = [(one, await one.read_browse_name()) for one in await node.get_children()]
            node = next(one for one, browse in below if browse.Name == name)
        assert await node.read_value() is not None
        rooms = await client.get_namespace_index("urn:test:rooms")
        assert (await client.get_node(f"ns={rooms};i=1").read_display_name()).Text == "Rooms"
        return node.nodeid.to_string(), await client.get_namespace_array()


async def test_each_seat_has_its_own_and_keeps_it(tmp_path: Path) -> None:
    """Numbers instead of names, the same after a restart, others for another seed; tags in evidence stay what they are."""
    folder = write_scenario(tmp_path / "scenario")
    found = {}
    for name, seed in (("first", "a"), ("again", "a"), ("other", "b")):
        options = Options(seed=seed, attempt=tmp_path / seed, port_base=0)
        async with Lab(folder, options) as lab:
            found[name] = await look(lab)
        if name == "first":
            (tmp_path / "a" / "seal.json").unlink(missing_ok=True)
    assert found["first"] == found["again"]
    assert found["first"][0] != found["other"][0]
    assert ";i=" in found["first"][0]
    evidence = Evidence.load(tmp_path / "b")
    assert evidence.of("opcua", "read", "mill1")[-1].tags == ["mill1.spindle_speed"]
    check = load("opcua.browsed")
    assert check().judge(evidence, check.Params(device="mill1", at_least=3)).score == 1
    assert (tmp_path / "b" / "scenario" / "models" / "rooms.xml").is_file()


def test_a_model_that_does_not_fit_is_told_by_its_line(tmp_path: Path) -> None:
    """Before anything listens."""
    folder = write_scenario(tmp_path / "scenario", rooms=ROOMS.replace("i=85", "ns=1;i=85"))
    with pytest.raises(ScenarioError, match=r"rooms\.xml:5"):
        Lab(folder, Options(seed="a", attempt=tmp_path / "attempt", port_base=0))


@pytest.mark.parametrize("name", ["../rooms.xml", "/etc/rooms.xml", "C:/rooms.xml", "models/.rooms.xml", "rooms.txt"])
def test_a_model_lies_in_the_scenario(tmp_path: Path, name: str) -> None:
    """Nothing outside the folder, nothing hidden."""
    folder = write_scenario(tmp_path / "scenario", LAYOUT.replace("models/rooms.xml", name))
    with pytest.raises(ScenarioError, match="below the scenario's folder"):
        Lab(folder, Options(seed="a", attempt=tmp_path / "attempt", port_base=0))
