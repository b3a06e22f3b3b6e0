"""What a trainee may set on a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import InputError
from labsim.lab.lab import Lab
from labsim.lab.options import Options

SCENARIO = """\
labsim: 1
id: settings
level: junior
minutes: 20
competences: [NET-J2]
title: {en: Settings, zh-Hant: 設置, zh-Hans: 设置}
plant:
  cool1: {type: coolant-unit, settings: {losses: 2}}
endpoints:
  - modbus: {port: 5020, units: {1: cool1}}
tasks:
  - id: read
    title: {en: Read, zh-Hant: 讀取, zh-Hans: 读取}
    marks: 1
    checks:
      - modbus.read: {device: cool1, tags: [cool1.tank_level], marks: 1}
"""


async def test_a_hidden_setting_is_for_the_instructor_alone(tmp_path: Path) -> None:
    """A trainee neither sees nor changes a mood of the device, nor what the scenario fixes; the instructor changes both."""
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    for language in ("en", "zh-Hant", "zh-Hans"):
        (folder / f"brief.{language}.md").write_text("# Settings\n", encoding="utf-8")
    async with Lab(folder, Options(seed="1", attempt=tmp_path / "a", port_base=0)) as lab:
        seen = lab.settings.open("cool1")
        assert "heat_load" in seen
        for name, value in (("lost_write", 1), ("losses", 3)):
            assert name not in seen
            with pytest.raises(InputError):
                lab.settings.change("cool1", name, value)
            assert lab.settings.change("cool1", name, value, by="instructor")["value"] == value
        assert lab.settings.change("cool1", "heat_load", 4)["value"] == 4
