from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.outcome import State


def ask(bench: Bench, t: float, name: str, code: int = 200, user: str = "line", **asked: Any) -> None:
    """One request of a client."""
    detail = {"method": "POST", "name": name, "code": code, "asked": asked, "answer": {}}
    status = 0 if code < 400 else code
    about = {"device": "mes1", "subject": f"/mes1/v1/{name}", "user": user, "status": status}
    bench.event(t, "http", "request", detail=detail, **about)


@pytest.mark.parametrize(
    ("params", "state", "said"),
    [
        ({}, State.PASSED, ""),
        ({"request": "report", "asked": {"path.order": "wo-17", "body.good": 40}, "user": "line"}, State.PASSED, ""),
        ({"request": "report", "asked": {"body.good": 41}}, State.FAILED, "differs in: body.good"),
        ({"request": "report", "asked": {"body.scrap": 1}}, State.FAILED, "differs in: body.scrap"),
        ({"request": "report", "asked": {"body.closed": 1}}, State.FAILED, "differs in: body.closed"),
        ({"request": "report", "asked": {"body.closed": True}}, State.PASSED, ""),
        ({"request": "report", "user": "office"}, State.FAILED, "differs in: user"),
        ({"request": "report", "at_least": 2}, State.FAILED, "1 of 2"),
        ({"request": "orders"}, State.FAILED, "not asked for that (requests in all: 2)"),
        ({"method": "GET"}, State.FAILED, "not asked for that"),
        ({"request": "place"}, State.FAILED, "result (403)"),
        ({"request": "place", "result": "refused"}, State.PASSED, ""),
        ({"request": "report", "result": "refused"}, State.FAILED, "result (200)"),
    ],
)
def test_one_request_must_have_everything(bench: Bench, params: dict[str, Any], state: State, said: str) -> None:
    """Route, method, values, user and result; the nearest one is named with what it lacks."""
    ask(bench, 1, "report", path={"order": "WO-17"}, body={"good": 40, "closed": True})
    ask(bench, 2, "place", 403)
    outcome = bench.judge("http.requested", device="mes1", **params)
    assert outcome.state is state, outcome
    assert said in outcome.reason["en"]


def test_untouched_earns_nothing(bench: Bench) -> None:
    """Without a request there is nothing."""
    assert bench.judge("http.requested", device="mes1", result="refused").state is State.FAILED
