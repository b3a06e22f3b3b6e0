"""Options that several commands share, and how they become a lab's options."""

from __future__ import annotations

import datetime
from pathlib import Path

import typer

from labsim.errors import InputError
from labsim.text import LANGUAGES

LANGUAGE = "LABSIM_LANG"
"""The environment variable that says the language where ``--lang`` does not."""
JSON = typer.Option(False, "--json", help="Print JSON on stdout and nothing else there.")
LANG = typer.Option("en", "--lang", envvar=LANGUAGE, help="Language: en, zh-Hant or zh-Hans.")
OWN_LANG = typer.Option("", "--lang", envvar=LANGUAGE, help="Language; the lab's own by default.")
ATTEMPT = typer.Argument(help="The attempt folder.", metavar="ATTEMPT")


def language(lang: str) -> str:
    """A language labsim speaks; raises InputError for another."""
    if lang not in LANGUAGES:
        raise InputError(f"{lang!r} is not a language of labsim. Choose one of: {', '.join(LANGUAGES)}.")
    return lang


def attempt_folder(scenario: str, chosen: Path | None) -> Path:
    """The attempt folder of a run, absolute: the chosen one, or a new one below ``attempts/`` named by scenario and time."""
    if chosen is not None:
        return chosen.absolute()
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    folder, number = Path("attempts").absolute() / f"{scenario}-{now}", 2
    while folder.exists():
        folder = folder.with_name(f"{scenario}-{now}-{number}")
        number += 1
    return folder
