from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import devices
from labsim.errors import InputError, UnknownNameError
from labsim.plant.device import Device

INTERFACE = """\
type: {name}
title: Fan
about: Blows
identification: {{manufacturer: M, model: F, revision: "1", serial: "{{number:08d}}"}}
tags:
  speed: {{type: f32, title: Speed}}
"""


def install(site: Path, name: str, module: str, source: str | None = None) -> None:
    """A distribution in ``site`` whose entry point says that the type ``name`` is in ``module``."""
    info = site / f"{module}_dist-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}-dist\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[labsim.devices]\n{name} = {module}\n")
    if source is not None:
        (site / module).mkdir()
        (site / module / "__init__.py").write_text(source)
        (site / module / "interface.yaml").write_text(INTERFACE.format(name=name))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder of installed distributions; the types are looked for anew with it and after it."""
    caches = (devices._packages, devices.interface, devices.load)
    monkeypatch.syspath_prepend(tmp_path)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()


def test_names_are_those_of_the_folders():
    """The types that come with labsim are named with hyphens, sorted."""
    assert devices.names() == sorted(devices.names())
    assert {"cnc-mill", "power-meter"} <= set(devices.names())


@pytest.mark.parametrize("name", devices.names())
def test_a_type_is_loaded_with_its_interface(name: str):
    """Each name loads a Device class and the interface of the same name, which is read once."""
    kind = devices.load(name)
    assert issubclass(kind.behaviour, Device)
    assert kind.interface is devices.interface(name)
    assert kind.interface.type == name


def test_names_and_interfaces_import_no_behaviour_and_no_simulator():
    """Listing types and reading interfaces loads neither SimPy nor any device module."""
    code = (
        "import sys, devices; [devices.interface(n) for n in devices.names()];"
        "print([m for m in sys.modules if m == 'simpy' or m.startswith('devices.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_one_type_imports_no_other():
    """`load` imports the named type alone."""
    code = "import sys, devices; devices.load('power-meter'); print('devices.cnc_mill' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unknown_type_names_the_nearest():
    """A misspelt type raises with the right spelling."""
    for ask in (devices.interface, devices.load):
        with pytest.raises(UnknownNameError, match="Did you mean 'power-meter'"):
            ask("power-metre")


def test_a_type_of_another_distribution_is_found_by_its_entry_point(site: Path):
    """An entry point adds a type; its interface is read without importing the package."""
    install(
        site,
        "roof-fan",
        "roof_fan",
        "from labsim.plant.device import Device\nclass Fan(Device): ...\nBEHAVIOUR = Fan\n",
    )
    assert "roof-fan" in devices.names()
    assert devices.interface("roof-fan").title.say() == "Fan"
    assert "roof_fan" not in sys.modules
    assert devices.load("roof-fan").behaviour.__name__ == "Fan"
    del sys.modules["roof_fan"]


def test_no_distribution_replaces_a_type_of_labsim(site: Path):
    """An entry point with the name of a type that comes with labsim changes nothing."""
    install(site, "power-meter", "fake_meter", "")
    assert devices.load("power-meter").behaviour.__module__ == "devices.power_meter"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "has no BEHAVIOUR"),
        ("BEHAVIOUR = int", "has no BEHAVIOUR"),
        ("import a_module_that_is_not_there", "cannot be imported"),
        (None, "not installed"),
    ],
)
def test_a_broken_distribution_is_named(site: Path, source: str | None, says: str):
    """A package without behaviour, one that does not import, and one that is missing are input errors with the reason."""
    install(site, "broken-fan", "broken_fan", source)
    with pytest.raises(InputError, match=says):
        devices.load("broken-fan")
    sys.modules.pop("broken_fan", None)


def test_a_type_has_one_name(site: Path):
    """An entry point that calls the type other than its interface does is refused."""
    install(site, "fan", "one_fan", "")
    (site / "one_fan" / "interface.yaml").write_text(INTERFACE.format(name="other-fan"))
    with pytest.raises(InputError, match="calls itself 'other-fan'"):
        devices.interface("fan")
