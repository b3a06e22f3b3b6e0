"""The way out for what no check here judges: a Python function of the scenario's author."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from grader import apart
from grader.check import Check, Params
from grader.outcome import Outcome
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import TagPath
from labsim.text import tr


class ScriptParams(Params):
    """Parameters of `Script`."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_/.-]*\.py:[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        description="The file below the scenario's folder and the function in it: `checks.py:function`."
    )
    arguments: Mapping[str, Any] = Field({}, alias="with", description="Named arguments of the function.")
    tags: tuple[TagPath, ...] = Field((), description="Tags it looks at, so that each step of them is recorded.")
    limit: Duration = Field(10.0, description="How long it may take, in wall time.")


class Script(Check[ScriptParams]):
    """A function of the scenario's author judges: the way out for what no other check judges.

    It is called with the evidence (`labsim.evidence.evidence.Evidence`: `records`, `of(protocol, kind)`, `history`, `file`,
    `answer`) and the arguments, in a process of its own that may change nothing and reach nobody. It returns true or false, a
    share from 0 to 1, a `grader.outcome.Outcome`, or a mapping with `score` and, if it likes, `reason` (a text, or one per
    language), `expected`, `actual`, `evidence` (numbers of records) and `help`. When it raises, hangs, exits or returns
    anything else, it *cannot check*, and nobody loses a mark. The file is part of the scenario and is kept with the attempt.

    Example::

        python: {run: "checks.py:alternates", with: {device: meter1}, tags: [meter1.voltage_l1], marks: 2}
    """

    name = "python"
    sentence = tr("{p.run} is met", "{p.run} 通過", "{p.run} 通过")
    reads = "all"
    Params = ScriptParams

    def judge(self, evidence: Evidence, params: ScriptParams) -> Outcome:
        """Run the function apart."""
        file, _, function = params.run.partition(":")
        if ".." in file.split("/"):
            raise ValueError(f"{file!r} lies outside the scenario")
        request = {"file": file, "function": function, "arguments": dict(params.arguments)}
        return apart.judge(evidence, request, time_limit_s=params.limit)
