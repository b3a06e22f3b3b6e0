"""Companion models from UANodeSet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import BASE_OBJECT
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, Space
from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.nodeset import NodeSet, load_nodeset, merge_nodesets, read_nodeset
from labsim.errors import InputError, ScenarioError
from labsim.plant.plant import Plant

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">\n'
PUMP = """<NamespaceUris><Uri>urn:test:pump</Uri></NamespaceUris>
<Models><Model ModelUri="urn:test:pump" Version="1.0"><RequiredModel ModelUri="http://opcfoundation.org/UA/"/></Model></Models>
<Aliases><Alias Alias="HasSubtype">i=45</Alias><Alias Alias="HasComponent">i=47</Alias>
<Alias Alias="HasProperty">i=46</Alias><Alias Alias="HasTypeDefinition">i=40</Alias>
<Alias Alias="Organizes">i=35</Alias></Aliases>
<UAObjectType NodeId="ns=1;i=1000" BrowseName="1:PumpType" IsAbstract="true">
  <DisplayName>Pump</DisplayName><DisplayName Locale="zh-Hant">泵</DisplayName>
  <Description>A pump.</Description>
  <References><Reference ReferenceType="HasSubtype" IsForward="false">i=58</Reference></References>
</UAObjectType>
<UADataType NodeId="ns=1;i=3000" BrowseName="1:PumpMode">
  <DisplayName>PumpMode</DisplayName>
  <References><Reference ReferenceType="HasSubtype" IsForward="false">i=29</Reference></References>
  <Definition Name="1:PumpMode"><Field Name="Off" Value="0"/><Field Name="On" Value="1"/></Definition>
</UADataType>
<UAVariable NodeId="ns=1;i=3001" BrowseName="EnumStrings" DataType="i=21" ValueRank="1">
  <DisplayName>EnumStrings</DisplayName>
  <References><Reference ReferenceType="HasTypeDefinition">i=68</Reference>
    <Reference ReferenceType="HasProperty" IsForward="false">ns=1;i=3000</Reference></References>
  <Value><ListOfLocalizedText xmlns="http://opcfoundation.org/UA/2008/02/Types.xsd">
    <LocalizedText><Text>Off</Text></LocalizedText><LocalizedText><Locale>en</Locale><Text>On</Text></LocalizedText>
  </ListOfLocalizedText></Value>
</UAVariable>
<UAObject NodeId="ns=1;s=pumps" BrowseName="1:Pumps">
  <DisplayName>Pumps</DisplayName>
  <References><Reference ReferenceType="HasTypeDefinition">i=61</Reference>
    <Reference ReferenceType="Organizes" IsForward="false">i=85</Reference></References>
</UAObject>
<UAVariable NodeId="ns=1;s=pumps.mode" BrowseName="1:Mode" DataType="ns=1;i=3000" AccessLevel="3">
  <DisplayName>Mode</DisplayName>
  <References><Reference ReferenceType="HasTypeDefinition">i=63</Reference>
    <Reference ReferenceType="HasComponent" IsForward="false">ns=1;s=pumps</Reference></References>
  <Value><Int32 xmlns="http://opcfoundation.org/UA/2008/02/Types.xsd">1</Int32></Value>
</UAVariable>
"""


def pump(change: tuple[str, str] = ("", ""), file: str = "pump.xml") -> NodeSet:
    """The file with something replaced."""
    assert change[0] in PUMP
    return read_nodeset((HEAD + PUMP.replace(*change, 1) + "</UANodeSet>").encode(), file)


def merged(*nodesets: NodeSet) -> Space:
    """A space with the files, their namespaces from 5 on."""
    space = Space(standard_space())
    uris = list(dict.fromkeys(uri for nodeset in nodesets for uri in nodeset.uris))
    merge_nodesets(space, nodesets, lambda uri: uris.index(uri) + 5)
    return space


def test_nodes_get_this_servers_namespaces() -> None:
    """Types, texts, definitions, values and references, below the nodes of the standard they name."""
    space = merged(pump())
    kind = space[5, 1000]
    assert (kind.cls, kind.browse.NamespaceIndex, kind.attributes[nodes.IS_ABSTRACT]) == (nodes.OBJECT_TYPE, 5, True)
    assert kind.display == {"en": "Pump", "zh-Hant": "泵"}
    assert (5, 1000) in space.subtypes(BASE_OBJECT)
    assert space.builtin((5, 3000)) == 6
    assert [(one.Name, one.Value) for one in space[5, 3000].attributes[nodes.DEFINITION].Fields] == [
        ("Off", 0),
        ("On", 1),
    ]
    (strings,) = space[5, 3000].targets((HAS_PROPERTY,))
    assert [one.Text for one in space[strings].constant().Value] == ["Off", "On"]
    assert list(space[5, "pumps"].targets((HAS_COMPONENT,))) == [(5, "pumps.mode")]


def test_names_in_values_get_this_servers_namespaces_too() -> None:
    """A QualifiedName and a NodeId that are values are translated as those of nodes are."""
    for typed, wanted in (
        ("<QualifiedName><NamespaceIndex>1</NamespaceIndex><Name>a</Name></QualifiedName>", ua.QualifiedName("a", 5)),
        ("<NodeId><Identifier>ns=1;i=1000</Identifier></NodeId>", ua.NodeId(1000, 5)),
    ):
        change = '<Int32 xmlns="http://opcfoundation.org/UA/2008/02/Types.xsd">1</Int32>', typed
        assert merged(pump(change))[5, "pumps.mode"].constant().Value == wanted


async def test_a_client_sees_the_model_beside_the_devices(plant: Plant) -> None:
    """Browse, read and type of what the file brings; it cannot be written."""
    async with (
        OpcuaEndpoint(plant, ["press1"], lambda _event: None, layout=Layout(nodesets=[pump()])) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        index = await client.get_namespace_index("urn:test:pump")
        mode = await client.nodes.objects.get_child([f"{index}:Pumps", f"{index}:Mode"])
        assert await mode.read_value() == 1
        assert await mode.read_data_type() == ua.NodeId(3000, index)
        with pytest.raises(ua.uaerrors.BadNotWritable):
            await mode.write_value(0, ua.VariantType.Int32)
        assert await client.get_node("ns=2;s=press1.force").read_value() == 50.0


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (("ns=1;s=pumps</", "ns=1;s=pump</"), 34, "ns=1;s=pump is not here"),
        (('NodeId="ns=1;s=pumps.mode"', 'NodeId="ns=1;s=pumps"'), 31, "there already"),
        (('NodeId="ns=1;s=pumps.mode"', 'NodeId="pumps"'), 31, "no node id"),
        (('NodeId="ns=1;s=pumps.mode" ', ""), 31, "NodeId is missing"),
        (("ns=1;s=pumps.mode", "ns=7;s=pumps.mode"), 31, "no namespace 7"),
        ((">1</Int32>", ">one</Int32>"), 31, "is no Int32"),
        (("<Int32 xmlns", "<Foo xmlns"), 35, "no XML"),
        (('ReferenceType="HasComponent" Is', "Is"), 31, "no ReferenceType"),
        (('http://opcfoundation.org/UA/"/>', 'urn:other"/>'), 2, "urn:other, which is not here"),
    ],
)
def test_problems_have_their_line(change: tuple[str, str], line: int, word: str) -> None:
    """Each mistake by file and line, in words."""
    with pytest.raises(ScenarioError) as caught:
        merged(pump(change))
    (problem, *_) = caught.value.problems
    assert word in problem.message
    assert (problem.file, problem.line) == ("pump.xml", line)


def test_two_files_with_the_same_nodes() -> None:
    """The second is refused, and not with thousands of lines."""
    with pytest.raises(ScenarioError) as caught:
        merged(pump(), pump(file="again.xml"))
    assert {problem.file for problem in caught.value.problems} == {"again.xml"}
    assert len(caught.value.problems) <= 20


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><UANodeSet>&b;</UANodeSet>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><UANodeSet/>',
        "<UANodeSet>" + "<a>" * 100 + "</a>" * 100 + "</UANodeSet>",
        "<UANodeSet>&b;</UANodeSet>",
        "<html/>",
        "",
    ],
)
def test_what_is_refused_before_it_is_looked_at(text: str) -> None:
    """Document types, entities, endless nesting, other files."""
    with pytest.raises(ScenarioError, match=r"x\.xml"):
        read_nodeset(text.encode(), "x.xml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Its name is told."""
    with pytest.raises(InputError, match=r"no\.xml"):
        load_nodeset(tmp_path / "no.xml")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_told(data: Any) -> None:
    """Whatever is cut out or put in: nodes, or problems with their file; no other exception."""
    whole = (HEAD + PUMP + "</UANodeSet>").encode()
    start = data.draw(st.integers(0, len(whole)))
    size, filler = (
        data.draw(st.integers(0, 40)),
        data.draw(st.sampled_from([b"", b"i=45", b'"', b"<a/>", b"-1", b"\xff"])),
    )
    try:
        merged(read_nodeset(whole[:start] + filler + whole[start + size :], "x.xml"))
    except ScenarioError as error:
        problems = error.problems
    else:
        return
    assert {problem.file for problem in problems} == {"x.xml"}
