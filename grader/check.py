"""The base of every check: a name, a sentence, typed parameters, and a pure judgement of evidence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from grader.outcome import Outcome
from labsim.evidence.evidence import Evidence
from labsim.text import Text


class Params(BaseModel):
    """Base of the parameters of a check. Every field has a description, which is its manual."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Params)


class Check(ABC, Generic[P]):
    """One kind of check.

    The docstring of a subclass is its page in docs/checks.md: what it judges, how time windows are meant, and an
    ``Example::`` in YAML.

    Attributes:
        name: As scenarios write it: ``family.verb``.
        sentence: What a trainee reads as the title of the check; ``{p.device}`` fills in a parameter.
        Params: The model of its parameters.
    """

    name: ClassVar[str]
    sentence: ClassVar[Text]
    Params: type[P]

    @abstractmethod
    def judge(self, evidence: Evidence, params: P) -> Outcome:
        """Judge the evidence. Pure: the same evidence and parameters give the same outcome; reads no clock and no file."""

    def title(self, params: P) -> Text:
        """The sentence with the parameters filled in."""
        return self.sentence.format(p=params)


def parse_share(value: Any) -> float:
    """A share from ``"95 %"`` or a fraction such as 0.95.

    Raises:
        ValueError: neither, or not between 0 and 1.
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(value)
    except (TypeError, ValueError):
        share = -1.0
    if isinstance(value, bool) or not 0 < share <= 1:
        raise ValueError(f"{value!r} is not a share; write a percentage such as '95 %' or a fraction such as 0.95")
    return share


Share = Annotated[
    float, BeforeValidator(parse_share), WithJsonSchema({"type": ["string", "number"], "examples": ["95 %", 0.95]})
]
"""A pydantic field of a share over 0 and up to 1, written as a percentage."""
