"""What a command prints around a trainee's lab speaks the language that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from labsim.cli.main import run_command
from labsim.cli.words import WORDS


def test_every_sentence_is_complete() -> None:
    """No language is missing, and each holds the same facts."""

    def facts(sentence: str) -> frozenset[str]:
        return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name)

    assert [key for key, text in WORDS.items() if text.missing] == []
    assert [key for key, text in WORDS.items() if len(set(map(facts, text.values()))) > 1] == []


def test_language_of_the_environment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """``LABSIM_LANG`` is the language of all commands; ``--lang`` goes before it."""
    monkeypatch.setenv("LABSIM_LANG", "zh-Hans")
    assert run_command(["list"]) == 0
    assert "能力项" in capsys.readouterr().out
    assert run_command(["list", "--lang", "zh-Hant"]) == 0
    assert "能力項" in capsys.readouterr().out


def test_titles_are_printed_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal a Chinese title goes on in the next line and loses nothing."""
    monkeypatch.setenv("COLUMNS", "70")
    assert run_command(["list", "--lang", "zh-Hans"]) == 0
    assert "…" not in capsys.readouterr().out


def test_a_check_speaks_the_language_of_its_lab(
    host: Callable[..., Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """``labsim check`` prints in the language of the lab, or in the one it is asked for."""
    attempt = str(tmp_path / "attempt")
    host("first-contact", "--lang", "zh-Hans", "--port-base", "0", "--attempt", attempt)
    assert run_command(["check", attempt]) == 1
    assert "0 / 20 分  未通过" in capsys.readouterr().out
    assert run_command(["check", attempt, "--lang", "en"]) == 1
    assert "0 of 20 marks  not passed" in capsys.readouterr().out
