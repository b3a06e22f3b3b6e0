"""Companion models of a scenario, as lint judges them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labsim.lab.models import lint_models
from labsim.scenario.folder import find_scenario

HEAD = '<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"><NamespaceUris><Uri>urn:m</Uri></NamespaceUris>\n'
GOOD = HEAD + (
    '<UAObject NodeId="ns=1;i=1" BrowseName="1:Pumps"><DisplayName>Pumps</DisplayName>\n'
    '<References><Reference ReferenceType="i=35" IsForward="false">i=85</Reference></References></UAObject></UANodeSet>'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario whose OPC UA server brings two models."""
    folder = Path(shutil.copytree(find_scenario("first-contact"), tmp_path / "scenario"))
    file = folder / "scenario.yaml"
    text = file.read_text("utf-8")
    line = "      devices: [mill1]\n"
    assert line in text
    file.write_text(text.replace(line, line + "      nodesets: [models/pump.xml, models/more.xml]\n", 1), "utf-8")
    (folder / "models").mkdir()
    (folder / "models/pump.xml").write_text(GOOD, "utf-8")
    (folder / "models/more.xml").write_text(GOOD.replace("urn:m", "urn:n"), "utf-8")
    return folder


def test_good_models_have_no_problem(folder: Path) -> None:
    """Neither has a scenario without any."""
    assert lint_models(folder) == []
    assert lint_models(find_scenario("first-contact")) == []


@pytest.mark.parametrize(
    ("file", "text", "line", "said"),
    [
        ("more.xml", GOOD.replace("i=85", "ns=1;i=99").replace("urn:m", "urn:n"), 3, "ns=1;i=99 is not here"),
        ("pump.xml", "<UANodeSet>\n<oops", 2, "this is no XML"),
        ("pump.xml", "<Other/>", 1, "the root is Other, not UANodeSet"),
        ("more.xml", GOOD, 2, "is there already"),
    ],
    ids=["a_dangling_reference", "broken_xml", "another_file", "the_same_node_twice"],
)
def test_a_bad_model_is_told_by_file_and_line(folder: Path, file: str, text: str, line: int, said: str) -> None:
    """Before the lab starts, where it stands in the model's own file."""
    path = folder / "models" / file
    path.write_text(text, "utf-8")
    (problem,) = lint_models(folder)
    assert (problem.file, problem.line) == (str(path), line)
    assert said in problem.message


def test_a_missing_model_is_told_where_it_is_named(folder: Path) -> None:
    """In the scenario's file."""
    (folder / "models/more.xml").unlink()
    (problem,) = lint_models(folder)
    assert Path(problem.file).name == "scenario.yaml"
    assert problem.line > 1
    assert "models/more.xml" in problem.message
