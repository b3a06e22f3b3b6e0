from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import devices
from labsim.lab.manual import manual
from labsim.lab.manual.page import manual_page
from labsim.plant.interface import Interface
from labsim.plant.tags import INTEGER_RANGE
from labsim.text import LANGUAGES, Text

NAMES = devices.names()


@pytest.fixture(params=NAMES)
def interface(request: pytest.FixtureRequest) -> Interface:
    """The interface of each type in turn."""
    return devices.interface(request.param)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, Text]]:
    """Every Text inside a model, with where it is."""
    if isinstance(value, Text):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from texts(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from texts(item, f"{path}.{index}")


def test_every_text_is_there_in_three_languages(interface: Interface):
    """No title, description or label lacks a language of labsim."""
    found = dict(texts(interface))
    assert len(found) > len(interface.tags)
    assert {path: text.missing for path, text in found.items() if text.missing} == {}


def test_the_two_chinese_scripts_are_not_mixed(interface: Interface):
    """Characters that only simplified Chinese uses do not stand in traditional text, and the other way round."""
    simplified = set("电压过载项设备测无单线据标签转数温铣机类停运转动显态关闭换复")
    traditional = set("電壓過載項設備測無單線據標籤轉數溫銑機類停運轉動顯態關閉換復")
    for path, text in texts(interface):
        assert not set(text["zh-Hant"]) & (simplified - traditional), path
        assert not set(text["zh-Hans"]) & (traditional - simplified), path


def test_every_tag_is_reachable(interface: Interface):
    """Each tag stands on at least one protocol, and on each protocol at most once per table."""
    reached: set[str] = set()
    if interface.modbus is not None:
        shown = [(r.table, r.tag) for r in interface.modbus.registers if r.tag]
        assert len(shown) == len(set(shown))
        reached |= {tag for _, tag in shown}
    if interface.opcua is not None:
        assert len(set(interface.opcua.nodes.values())) == len(interface.opcua.nodes)
        reached |= set(interface.opcua.nodes.values())
        reached |= {tag for value in interface.opcua.values.values() for tag in value.tags()}
    if interface.mqtt is not None:
        reached |= {tag for message in interface.mqtt.messages for tag in message.tags}
    assert set(interface.tags) - reached == set()


def test_writable_tags_are_writable_somewhere(interface: Interface):
    """A tag that clients may write stands where they can: an OPC UA node, a coil or a writable register."""
    places = set(interface.opcua.nodes.values()) if interface.opcua else set()
    places |= {r.tag for r in interface.modbus.registers if r.access == "rw"} if interface.modbus else set()
    assert {name for name, spec in interface.tags.items() if spec.access == "rw"} <= places


def test_integer_registers_hold_the_whole_range(interface: Interface):
    """A scaled integer register neither saturates nor collides with its code for invalid inside the tag's range."""
    for register in interface.modbus.registers if interface.modbus else ():
        span = interface.tags[register.tag].range if register.tag else None
        if span is not None and register.type in INTEGER_RANGE:
            low, high = INTEGER_RANGE[register.type]
            assert low <= span[0] * register.scale, register.tag
            assert span[1] * register.scale < high, register.tag


def test_every_type_has_a_readme(interface: Interface):
    """The folder says what is modelled, what is not, and after what sources."""
    folder = Path(devices.__file__).parent / interface.type.replace("-", "_")
    text = (folder / "README.md").read_text(encoding="utf-8")
    for heading in ("## Modelled", "## Not modelled", "## Sources"):
        assert heading in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_manual_shows_everything_in_each_language(interface: Interface, lang: str):
    """Every tag's title, register number, node, topic and setting stands in the datasheet of each language."""
    text = manual(interface, lang)
    for name, spec in interface.tags.items():
        assert f"| `{name}` | {spec.title.say(lang)}" in text
    for name, setting in interface.settings.items():
        assert (f"| `{name}` | {setting.title.say(lang)}" in text) == (not setting.hidden)
    for register in interface.modbus.registers if interface.modbus else ():
        assert f"| {register.doc} | " in text
    for place in interface.opcua.nodes if interface.opcua else ():
        assert f"{place.rsplit('/', 1)[-1]}  (" in text
    for message in interface.mqtt.messages if interface.mqtt else ():
        assert f"| `{message.topic}` | " in text
    for place in interface.opcua.methods if interface.opcua else ():
        assert f"| `{place}` | " in text
    for route in interface.rest.routes.values() if interface.rest else ():
        assert f"`{route.method} {interface.rest.base}{route.path}`" in text
    assert "{" not in text.replace("{device}", "").split("## REST")[0].split("```json")[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_manual_is_a_page_that_needs_nothing_else(interface: Interface, lang: str):
    """As HTML every tag stands in a row, chapters can be jumped to, and nothing is loaded from elsewhere."""
    page = manual_page(interface, lang)
    for name in interface.tags:
        assert f"<td><code>{name}</code></td>" in page
    assert page.count("<h2 id=") == page.count('<a href="#s')
    assert not re.search(r'(src|href)="(?!#)|url\(|@import', page)


def test_a_manual_never_tells_faults(interface: Interface):
    """What an instructor may break is not in the datasheet."""
    text = manual(interface)
    for fault in interface.faults.values():
        assert fault.about is None or fault.about.say("en") not in text


def test_the_manual_is_the_same_for_every_seat():
    """The datasheet comes from the type alone: settings of a device do not show in it."""
    assert manual(devices.interface("power-meter")) == manual(devices.interface("power-meter"))
    assert "| `word_order` | Word order. Order of the bytes" in manual(devices.interface("power-meter"))
