"""One OPC UA server among several: evidence with what was done there alone, and the checks that may ask for it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TypeVar

from pydantic import Field

from grader.check import Check, Params
from grader.cut import AtServer
from grader.outcome import Outcome, State
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr

_ONLY = tr(
    "Only what is done at the server {server} counts.",
    "只計在服務器 {server} 上所做的。",
    "只计在服务器 {server} 上所做的。",
)


class ServerParams(Params):
    """Parameters of a check that may be of one server alone."""

    server: str | None = Field(
        None, description="Only this server counts, by the `name` of its endpoint in the scenario; any when left out."
    )


S = TypeVar("S", bound=ServerParams)


class ServerCheck(Check[S]):
    """A check of what is done at OPC UA servers, at one of them or at any."""

    def judge(self, evidence: Evidence, params: S) -> Outcome:
        """Judge what was done at the server; whoever did it at another one is told which counts."""
        if params.server is None:
            return self.judge_here(evidence, params)
        outcome = self.judge_here(at_server(evidence, params.server), params)
        if outcome.state is not State.FAILED or outcome.help:
            return outcome
        return replace(outcome, help=_ONLY.format(server=params.server))

    @abstractmethod
    def judge_here(self, evidence: Evidence, params: S) -> Outcome:
        """As `Check.judge`, of evidence that has nothing of other servers in it."""

    def title(self, params: S) -> Text:
        """The sentence of the check, and where."""
        return self.at(params, self.sentence.format(p=params))

    @staticmethod
    def at(params: ServerParams, sentence: Text) -> Text:
        """A sentence with the server, when only one counts."""
        if params.server is None:
            return sentence
        form = tr("{what} (server {server})", "{what}（服務器 {server}）", "{what}（服务器 {server}）")
        return form.format(what=sentence, server=params.server)


def at_server(evidence: Evidence, server: str) -> Evidence:
    """The evidence without what was done at other OPC UA servers."""
    return evidence.memo(("server", server), lambda: AtServer(evidence, server))
