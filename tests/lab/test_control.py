"""The control API of a running lab, over real HTTP."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pymodbus.client import AsyncModbusTcpClient

from labsim.client.client import LabClient
from labsim.errors import ControlError
from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import ok, verify
from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario
from labsim.text import LANGUAGES


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A running modbus-mapping."""
    options = Options(seed="control", attempt=tmp_path / "attempt", port_base=0)
    async with Lab(find_scenario("modbus-mapping"), options) as running:
        yield running


@pytest.fixture
async def api(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its control API."""
    async with Control(lab, "127.0.0.1", 0) as control, httpx.AsyncClient(base_url=control.url + "/") as client:
        yield client


async def test_lab_shows_everything_but_the_exercise(lab: Lab, api: httpx.AsyncClient) -> None:
    """``GET /lab`` has tasks, endpoints and open settings, but no drawn word order and no true value."""
    seen = (await api.get("lab", params={"lang": "zh-Hant"})).json()
    tasks = ["tables", "orders", "decode", "bits", "poll", "exception", "rollover"]
    assert [task["id"] for task in seen["tasks"]] == tasks
    assert seen["tasks"][5]["answer"]
    assert seen["tasks"][1]["hints"] == {"total": 1, "opened": [], "next_cost": 2}
    assert seen["endpoints"][0]["unit"] == 11
    assert not {"word_order", "base_register", "lost_phase"} & set(seen["devices"][1]["settings"])
    assert str(lab.scenario.drawn["order1"]) not in json.dumps({**seen, "tasks": [], "scenario": {}})


async def test_a_client_reads_and_begins_what_may_fail(lab: Lab) -> None:
    """Every target's faults are read in every language; one begins, ends, and none begins while the plant is paused."""
    async with Control(lab, "127.0.0.1", 0) as control, LabClient(control.url) as client:
        targets = await client.targets()
        kinds = {target.partition(".")[0] for target in targets}
        assert {"link", "endpoint", "rogue", "meter1"} <= kinds
        for target in {target.partition(".")[0]: target for target in targets}.values():
            titles = [{one.title for one in await client.faults(target, lang)} for lang in LANGUAGES]
            assert all(all(column) for column in titles)
        await client.begin_fault("meter1.voltage_l1", "stuck", {"value": "5", "for": "1 h", "hidden": True})
        assert await client.pause() == (await client.lab()).state == "paused"
        with pytest.raises(ControlError, match="paused"):
            await client.begin_fault("meter1", "dead", {})
        assert await client.resume() == "running"
        assert await client.end_faults("meter1.voltage_l1") == 1
    told = [
        (r.subject, r.detail["phase"], r.detail["by"]) for r in Evidence.load(lab.options.attempt).of("lab", "fault")
    ]
    assert told == [("meter1.voltage_l1", phase, "instructor") for phase in ("begin", "end")]


async def test_a_wrong_token_opens_nothing(lab: Lab) -> None:
    """Without the token of the base URL there is nothing."""
    async with Control(lab, "127.0.0.1", 0) as control, httpx.AsyncClient() as client:
        root = control.url.rpartition("/")[0]
        for path in ("/lab", "/wrong-token/lab", "/"):
            assert (await client.get(root + path)).status_code == 404


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
async def test_control_file_is_private(lab: Lab, api: httpx.AsyncClient) -> None:
    """``control.json`` holds the URL and can be read by its owner only."""
    file = lab.options.attempt / "control.json"
    assert json.loads(file.read_text(encoding="utf-8"))["url"] + "/" == str(api.base_url)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_hint_costs_and_ends(lab: Lab, api: httpx.AsyncClient) -> None:
    """A hint is given with its cost, which the verdict takes off; after the last one there is a refusal."""
    first = (await api.post("hint", json={"task": "orders", "lang": "en"})).json()
    assert (first["cost"], first["left"]) == (2, 0)
    again = await api.post("hint", json={"task": "orders"})
    assert again.status_code == 409
    assert "no further hint" in again.json()["error"]
    verdict = (await api.post("check", json={"task": "orders"})).json()
    assert verdict["tasks"][0]["hints"] == 2
    assert verdict["tasks"][0]["score"] == 0  # a hint never makes a task negative


async def test_answer_is_kept_and_marked(lab: Lab, api: httpx.AsyncClient) -> None:
    """An answer is kept; a task that asks for none refuses it."""
    assert (await api.post("answer", json={"task": "exception", "value": "2"})).json() == {
        "task": "exception",
        "value": "2",
    }
    refused = await api.post("answer", json={"task": "orders", "value": "2"})
    assert refused.status_code == 400
    assert "exception" in refused.json()["error"]
    verdict = (await api.post("check", json={"task": "exception"})).json()
    assert verdict["score"] == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("check", {"task": "tabels"}, 404, "Did you mean 'tables'?"),
        ("hint", {}, 400, "'task' is missing"),
        ("check", {"task": None, "lang": "fr"}, 400, "not a language"),
        ("device", {"device": "meter9", "setting": "load", "value": 1}, 404, "no device 'meter9'"),
        ("device", {"device": "meter1", "setting": "word_order", "value": "ABCD"}, 400, "part of the exercise"),
        ("device", {"device": "meter2", "setting": "rated_current", "value": "much"}, 400, "is not a number"),
        ("answer", {"task": "exception", "value": None}, 400, "'value' must be"),
    ],
)
async def test_bad_input_is_one_sentence(api: httpx.AsyncClient, path: str, body: dict, status: int, said: str) -> None:
    """What cannot be used is refused with one sentence and the right status; the lab goes on."""
    answer = await api.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]
    assert (await api.get("lab")).json()["state"] == "running"


async def test_body_that_is_no_json_is_refused(api: httpx.AsyncClient) -> None:
    """A body that is not a JSON object, or a huge one, is bad input."""
    for content in (b"{", b"[]", b'{"x": "' + b"y" * 100_000 + b'"}'):
        assert (await api.post("check", content=content)).status_code == 400


async def test_feed_tells_what_a_client_did(lab: Lab, api: httpx.AsyncClient) -> None:
    """The feed is a stream of entries in plain words; with ``since`` it goes on from there."""
    client = AsyncModbusTcpClient("127.0.0.1", port=int(lab.addresses()[0]["url"].rpartition(":")[2]))
    await client.connect()
    await client.read_holding_registers(40001, count=2, device_id=11)
    entries = []
    async with api.stream("GET", "feed", params={"since": 0}) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                entries.append(json.loads(line[6:]))
            if len(entries) == 2:
                break
    client.close()
    assert [e["kind"] for e in entries] == ["open", "read"]
    assert entries[1]["advice"]["en"].startswith("You sent 40001")
    async with api.stream("GET", "feed", params={"since": entries[1]["seq"]}) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                assert json.loads(line[6:])["seq"] == entries[1]["seq"]
                break


async def test_stop_grades_and_seals(lab: Lab, api: httpx.AsyncClient) -> None:
    """``POST /stop`` gives the final verdict, keeps it, and seals an intact folder; twice gives the same."""
    verdict = (await api.post("stop", json={})).json()
    assert verdict["score"] == 0
    assert (lab.options.attempt / "seal.json").exists()
    assert ok(verify(lab.options.attempt))
    kept = json.loads((lab.options.attempt / "verdicts" / "0001.json").read_text(encoding="utf-8"))
    assert kept == verdict
    assert (await api.post("stop", json={})).json() == verdict


async def test_manual_is_served(api: httpx.AsyncClient) -> None:
    """The datasheet of a device type comes in the asked language; an unknown type is 404."""
    assert "电力仪表" in (await api.get("manual", params={"type": "power-meter", "lang": "zh-Hans"})).json()["markdown"]
    assert (await api.get("manual", params={"type": "power"})).status_code == 404
