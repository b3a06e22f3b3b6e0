"""Ready plants in scenarios: taken in, changed, kept with the attempt, and every mistake told where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.document import read_document
from labsim.errors import ScenarioError
from labsim.scenario.folder import scenario_files
from labsim.scenario.include import PlantFile, find_plant, ready_plants
from labsim.scenario.load import lint_scenario, load_scenario

LINE = """\
labsim: 1
title: {en: "Two mills", zh-Hant: "兩台銑床", zh-Hans: "两台铣床"}
crew: 2
plant:
  mill2: {type: mill, place: acme/hall}
  mill3: {type: mill, place: acme/hall}
  main: {type: power-meter, settings: {base_register: 100, word_order: CDAB}}
flows:
  - {from: mill2.parts_out, to: mill3.parts_in, buffer: 5}
  - {from: main.load_out, to: mill2.power}
"""
INCLUDE = ("plant:\n", "include: [line]\nplant:\n")


@pytest.fixture
def line(write):
    """Writes a scenario that includes ``plants/line.yaml``, with changes to either."""

    def line(*changes, text=LINE, plant=()):
        folder = write(INCLUDE, *changes)
        for old, new in plant:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "plants").mkdir(exist_ok=True)
        (folder / "plants/line.yaml").write_text(text, encoding="utf-8")
        return folder

    return line


def test_an_include_brings_devices_flows_and_crew(line, catalogue):
    """Included devices come first, in the order of their file; the scenario's own follow."""
    folder = line()
    assert lint_scenario(folder, catalogue) == []
    scenario = load_scenario(folder, seed=1, catalogue=catalogue)
    assert list(scenario.plant) == ["mill2", "mill3", "main", "meter1", "mill1"]
    assert [(f.source, f.target, f.buffer) for f in scenario.flows] == [
        ("mill2.parts_out", "mill3.parts_in", 5),
        ("main.load_out", "mill2.power", None),
    ]
    assert scenario.crew == 2


def test_a_scenario_changes_what_it_takes_in(line, catalogue):
    """Settings are merged one by one, other keys replaced; a flow with the same ends has the scenario's buffer."""
    folder = line(
        ("  mill1:\n", '  main: {settings: {base_register: "${base}"}}\n  mill3: {place: acme/yard}\n  mill1:\n'),
        ("endpoints:\n", "crew: 1\nflows:\n  - {from: mill2.parts_out, to: mill3.parts_in, buffer: 9}\nendpoints:\n"),
    )
    assert lint_scenario(folder, catalogue) == []
    scenario = load_scenario(folder, seed=1, catalogue=catalogue)
    assert scenario.plant["main"].settings == {"base_register": scenario.drawn["base"], "word_order": "CDAB"}
    assert (scenario.plant["mill3"].place, scenario.plant["mill3"].type) == ("acme/yard", "mill")
    assert [flow.buffer for flow in scenario.flows] == [None, 9]
    assert scenario.crew == 1


def test_a_scenario_may_be_made_of_a_ready_plant_alone(write, catalogue):
    """With an include, ``plant`` may be left out; checks know the included devices."""
    folder = write(
        INCLUDE,
        ("plant:\n  meter1: {type: power-meter, settings: {word_order: \"${order}\", base_register: \"${base}\"}}\n", ""),
        ("  mill1:\n    type: mill\n", ""),
        ("  order: {choose: [ABCD, CDAB]}\n", ""),
        ("  base: {range: [0, 400], step: 20}\n", ""),
    )  # fmt: skip
    (folder / "plants").mkdir()
    (folder / "plants/line.yaml").write_text(LINE.replace("mill2", "mill1").replace("main", "meter1"), encoding="utf-8")
    for brief in folder.glob("brief.*"):
        brief.write_text("# Story\n\n## Decode {#decode}\n\n## Write {#write}\n", encoding="utf-8")
    assert lint_scenario(folder, catalogue) == []


def test_an_include_by_path_may_lie_anywhere(line, catalogue, tmp_path):
    """A path is taken from the scenario's folder; the attempt's copy is found by the name of the file."""
    folder = line()
    (folder / "plants/line.yaml").rename(tmp_path / "line.yaml")
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    (folder / "scenario.yaml").write_text(text.replace("[line]", "[../line.yaml]"), encoding="utf-8")
    assert find_plant("../line.yaml", folder) == folder / "../line.yaml"
    assert lint_scenario(folder, catalogue) == []
    files = scenario_files(folder)
    assert files["plants/line.yaml"] == LINE.encode()
    kept = tmp_path / "attempt/scenario"
    for name, data in files.items():
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        (kept / name).write_bytes(data)
    (tmp_path / "line.yaml").unlink()
    drawn = {"order": "ABCD", "base": 0, "unit": 11}
    assert load_scenario(kept, seed=1, catalogue=None, drawn=drawn).plant["mill3"].type == "mill"
    assert scenario_files(kept)["plants/line.yaml"] == LINE.encode()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([("[line]", "[lime]")], ["11:11 unknown-include"]),
        ([("[line]", "[line, line]")], ["11:17 bad-include"]),
        ([("  mill1:\n", "  mill2: {type: power-meter}\n  mill1:\n")], ["14:17 bad-include"]),
        ([("  mill1:\n", "  main: {settings: {base_register: x}}\n  mill1:\n")], ["14:36 bad-setting"]),
        ([("  mill1:\n", "  main: {settings: {base: 1}}\n  mill1:\n")], ["14:21 unknown-setting"]),
        ([("[line]", "line")], ["11:10 bad-value"]),
    ],
)
def test_mistakes_about_an_include_are_told_in_the_scenario(line, catalogue, changes, found):
    """What the scenario does with a ready plant is told at its own line and column."""
    folder = line()
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    problems = lint_scenario(folder, catalogue)
    assert [f"{p.line}:{p.column} {p.code}" for p in problems] == found
    assert {p.file for p in problems} == {str(folder / "scenario.yaml")}
    with pytest.raises(ScenarioError):
        load_scenario(folder, seed=1, catalogue=catalogue)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("{type: mill, place: acme/hall}\n  mill3", "{type: mil, place: acme/hall}\n  mill3", "5:17 unknown-device-type"),
        ("base_register: 100", "base_register: yes", "7:55 bad-setting"),
        ("base_register: 100", "bass_register: 100", "7:40 unknown-setting"),
        ("mill3.parts_in", "mill3.part_in", "9:33 unknown-port"),
        ("mill3.parts_in", "mill9.parts_in", "9:33 unknown-device"),
        ("mill3.parts_in", "mill3.power", "9:33 bad-flow"),
        ("mill2.power}", "mill2.power, buffer: 3}", "10:52 bad-flow"),
        ("crew: 2", "crew: 0", "3:7 bad-value"),
        ("flows:", "flow:", "8:1 unknown-key"),
        ("title:", ": :", "2:1 yaml"),
    ],
)  # fmt: skip
def test_mistakes_inside_a_ready_plant_are_told_in_its_file_once(line, catalogue, old, new, found):
    """The file of the plant is named with its own line and column, and nothing more is told for it in the scenario."""
    folder = line(plant=[(old, new)])
    problems = lint_scenario(folder, catalogue)
    assert [f"{p.line}:{p.column} {p.code}" for p in problems] == [found]
    assert problems[0].file == str(folder / "plants/line.yaml")


def test_a_near_name_is_suggested(line, catalogue):
    """Ports and plants that do not exist say what was probably meant."""
    folder = line(plant=[("mill3.parts_in", "mill3.part_in")])
    assert str(lint_scenario(folder, catalogue)[0]).endswith(
        "mill3 is a mill, which has no inlet 'part_in'. Did you mean 'parts_in'?"
    )


def test_flows_of_a_scenario_are_judged_in_place(told):
    """A scenario's own flows need no include; an end that is joined twice says where it was joined before."""
    flows = "flows:\n  - {from: mill1.parts_out, to: mill1.parts_in}\n  - {from: mill1.parts_out, to: mill1.power}\n"
    assert told(("endpoints:\n", f"{flows}endpoints:\n")) == [
        ("bad-flow", "mill1.parts_out, to: mill1.power}"),
        ("bad-flow", "mill1.power}"),
    ]
    assert told(("endpoints:\n", "flows:\n  - {from: mill1.parts, to: meter1.power}\nendpoints:\n")) == [
        ("unknown-port", "mill1.parts, to: meter1.power}"),
        ("unknown-port", "meter1.power}"),
    ]
    assert told(("endpoints:\n", "flows:\n  - {from: mill1, to: mill1.parts_in, buffer: 0}\nendpoints:\n")) == [
        ("bad-value", "mill1, to: mill1.parts_in, buffer: 0}"),
        ("bad-value", "0}"),
    ]


@pytest.mark.parametrize("name", sorted(ready_plants()))
def test_every_plant_of_ours_is_right(name):
    """The plants that come with labsim fit what is installed, in three languages."""
    from labsim.lab.catalogue import LabCatalogue
    from labsim.scenario.flow import judge_flows
    from labsim.scenario.judge import judge_plant, types_of

    document = read_document(ready_plants()[name])
    plant = document.validate(PlantFile, document.data)
    catalogue = LabCatalogue()
    types = types_of(document)
    judge_plant(document, types, catalogue, set(catalogue.device_types()))
    judge_flows(document, types, catalogue, set(catalogue.device_types()))
    assert [str(problem) for problem in document.problems] == []
    assert not plant.title.missing
    assert [path for path, device in plant.plant.items() if device.title is None or device.title.missing] == []


def test_the_example_of_the_documentation_is_right(write):
    """The YAML that docs/plants.md begins with, in a scenario, has no problem."""
    from labsim.lab.catalogue import LabCatalogue

    text = (Path(__file__).parents[2] / "docs/plants.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    folder = write(brief="# Story\n\n## Decode {#decode}\n")
    (folder / "scenario.yaml").write_text(
        'labsim: 1\nid: read-a-meter\ntitle: {en: "A", zh-Hant: "A", zh-Hans: "A"}\nlevel: junior\nminutes: 5\n'
        f"{example}endpoints:\n  - opcua: {{port: 4840, devices: [fill1, line_oee]}}\n"
        'tasks:\n  - id: decode\n    title: {en: "A", zh-Hant: "A", zh-Hans: "A"}\n    marks: 1\n    checks:\n'
        "      - opcua.session: {marks: 1}\n",
        encoding="utf-8",
    )
    assert [str(problem) for problem in lint_scenario(folder, LabCatalogue())] == []
    scenario = load_scenario(folder, seed=1, catalogue=LabCatalogue())
    assert scenario.crew == 1
    assert [flow.buffer for flow in scenario.flows if flow.target == "seal1.parts_in"] == [20]


def test_buffers_and_crew_can_be_drawn(line, catalogue):
    """Placeholders stand in flows and crew, and in settings of included devices; what is drawn has its type."""
    flows = "flows:\n  - {from: mill2.parts_out, to: mill3.parts_in, buffer: '${size}'}\n"
    folder = line(
        ("variants:\n", "variants:\n  size: {range: [2, 9]}\n  people: {choose: [1, 3]}\n"),
        ("endpoints:\n", f"crew: ${{people}}\n{flows}endpoints:\n"),
    )  # fmt: skip
    assert lint_scenario(folder, catalogue) == []
    scenario = load_scenario(folder, seed="x", catalogue=catalogue)
    assert scenario.flows[1].buffer == scenario.drawn["size"]
    assert scenario.crew == scenario.drawn["people"]
