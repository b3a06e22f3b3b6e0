"""Briefings: stories and sections of Markdown files in three languages."""

from __future__ import annotations

import pytest

from labsim.errors import ScenarioError, UnknownNameError
from labsim.scenario.brief import Brief, split
from labsim.scenario.placeholder import fill_text

MARKDOWN = """\
# Title

Story ${order}.

```yaml
## not a heading {#no}
```

## First {#first}

One.

### Inner {#inner}

Deep.

#### Deeper

## Second

## Third {#third}
Three.
"""


def test_sections_end_at_the_next_heading_of_their_level():
    """A section holds its deeper headings, and ends before the next of the same or a higher level."""
    story, sections = split(MARKDOWN)
    assert story.startswith("# Title")
    assert "not a heading {#no}" in story
    assert list(sections) == ["first", "inner", "third"]
    assert sections["first"] == "One.\n\n### Inner\n\nDeep.\n\n#### Deeper"
    assert sections["inner"] == "Deep.\n\n#### Deeper"
    assert sections["third"] == "Three."


def test_a_file_without_anchors_is_all_story():
    """Plain Markdown is a story; nothing at all is an empty one."""
    assert split("# A\n\ntext\n## B\n") == ("# A\n\ntext\n## B", {})
    assert split("") == ("", {})


def test_drawn_values_stand_in_the_text(write):
    """`${name}` in a briefing is the trainee's own value."""
    brief = Brief.load(write(), {"order": "CDAB", "base": 40})
    assert "speaks CDAB" in brief.story()
    assert brief.section("brief.md#decode", "zh-Hans").startswith("Base 40.")


def test_a_missing_language_falls_back(tmp_path):
    """A trainee reads the sister script, then English, rather than nothing."""
    (tmp_path / "brief.en.md").write_text("Hello\n## A {#a}\nalpha\n## B {#b}\nbeta\n", encoding="utf-8")
    (tmp_path / "brief.zh-Hant.md").write_text("你好\n## 甲 {#a}\n甲\n", encoding="utf-8")
    brief = Brief.load(tmp_path, {})
    assert (brief.story("zh-Hans"), brief.section("brief.md#a", "zh-Hans")) == ("你好", "甲")
    assert brief.section("brief.md#b", "zh-Hant") == "beta"


def test_a_section_nobody_wrote_is_named_with_its_nearest(write):
    """A wrong anchor says which one was probably meant."""
    with pytest.raises(UnknownNameError, match=r"Did you mean 'brief\.md#decode'"):
        Brief.load(write(), {}).section("brief.md#decod")


def test_an_empty_folder_has_an_empty_briefing(tmp_path):
    """A scenario in the making has no briefing yet."""
    assert Brief.load(tmp_path, {}).story("en") == ""


def test_a_byte_order_mark_is_no_text_and_latin_1_is_a_problem(tmp_path):
    """Editors on Windows write a mark before the text; another encoding is told with its place."""
    (tmp_path / "brief.en.md").write_bytes(b"\xef\xbb\xbfHello\r\n## A {#a}\r\nx\r\n")
    assert Brief.load(tmp_path, {}).section("brief.md#a") == "x"
    (tmp_path / "brief.en.md").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(ScenarioError, match=r"brief\.en\.md:1:3: the byte 0xF6 is not UTF-8"):
        Brief.load(tmp_path, {})


def test_what_is_filled_in_is_not_filled_again():
    """A value that looks like a placeholder stays what it is."""
    assert fill_text("${a} $${a} ${c} ${", {"a": "${b}", "b": 1}) == "${b} ${a} ${c} ${"
    assert fill_text("${t} ${f}", {"t": True, "f": 0.5}) == "true 0.5"
