"""What the coach says of one record, and the parts that its sentences share."""

from __future__ import annotations

from labsim.evidence.event import Record
from labsim.lab import words
from labsim.text import Text

Said = tuple[Text, Text | None]
"""What happened, and advice."""


class Once:
    """Advice is given once per mistake and connection: called with a record, it gives the advice the first time only."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def __call__(self, record: Record, mistake: str, advice: Text) -> Text | None:
        """``advice`` the first time the client of ``record`` makes the mistake of this name."""
        key = (record.client.rpartition(":")[0] + record.app, mistake)
        if key in self._said:
            return None
        self._said.add(key)
        return advice


def pace(record: Record) -> Text:
    """How often a poll asked, and how far apart."""
    facts = record.detail
    shortest, longest = (round(facts.get(key, 0) / 1e6) for key in ("shortest", "longest"))
    sentence = words.POLLS if facts.get("reads", 1) < 2 else words.POLLS_EVERY
    return sentence.format(n=facts.get("reads", 1), shortest=shortest, longest=longest)


def join(head: Text, tail: Text) -> Text:
    """What was asked, and what came of it."""
    return Text({lang: f"{sentence} → {tail.say(lang)}" for lang, sentence in head.items()})


def few(names: list[str]) -> str:
    """Three names at most, and how many there are beside them."""
    return ", ".join(map(str, names[:3])) + (f" +{len(names) - 3}" if len(names) > 3 else "")
