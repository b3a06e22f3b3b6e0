"""The client against a host on a real socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from fake_host import TOKEN, FakeHost, entry

from labsim.client.client import LabClient, call, find_control
from labsim.client.records import FeedEntry
from labsim.errors import AttemptError, ControlError


async def _take(client: LabClient, count: int, since: int = 0, **options: Any) -> list[FeedEntry]:
    found: list[FeedEntry] = []
    async with asyncio.timeout(60), aclosing(client.feed(since, **options)) as feed:
        async for item in feed:
            found.append(item)
            if len(found) == count:
                break
    return found


async def test_every_command_reaches_the_host(host: FakeHost) -> None:
    """Each method asks the path of the contract with the body of the contract and reads the answer."""
    async with LabClient(host.url) as client:
        lab = await client.lab("zh-Hans")
        assert (lab.scenario.id, lab.lang, lab.tasks[1].answered) == ("modbus-mapping", "zh-Hans", None)
        assert (await client.check("orders", "en")).tasks[0].checks[1].actual == "ABCD"
        assert (await client.hint("orders", "en")).left == 2
        assert await client.answer("orders", "BADC") == "BADC"
        assert await client.device("meter1", "display", "power") == "power"
        assert "40001" in await client.manual("power-meter", "zh-Hant")
        assert (await client.lab()).tasks[1].answered == "BADC"
        assert (await client.stop()).max == 30
    assert [(method, path) for method, path, _ in host.asked] == [
        ("GET", "lab"), ("POST", "check"), ("POST", "hint"), ("POST", "answer"),
        ("POST", "device"), ("GET", "manual"), ("GET", "lab"), ("POST", "stop"),
    ]  # fmt: skip
    assert host.asked[1][2] == {"task": "orders", "lang": "en"}
    assert host.asked[5][2] == {"type": "power-meter", "lang": "zh-Hant"}


async def test_an_instructors_acts_reach_the_host(host: FakeHost) -> None:
    """What may fail is read, a fault begins with its parameters and ends by the word of the contract, the plant stands still."""
    async with LabClient(host.url) as client:
        assert "link.modbus" in await client.targets()
        drift = (await client.faults("meter1.voltage_l1", "zh-Hans"))[0]
        rate = drift.parameters["rate"]
        assert (drift.title, rate.unit, rate.range, rate.default) == ("漂移", "V", (-100.0, 100.0), 2.0)
        await client.begin_fault("meter1", "dead", {"for": "5 s", "hidden": True})
        assert await client.end_faults("meter1") == 1
        assert (await client.pause(), await client.resume()) == ("paused", "running")
        assert (await client.mimic("en")).flows[0].capacity == 12
    dead = {"target": "meter1", "fault": "dead", "for": "5 s", "hidden": True}
    assert host.lab.wrong == [dead, {"target": "meter1", "fault": "good"}]


async def test_refusal_is_the_hosts_own_sentence(host: FakeHost) -> None:
    """An error of the host arrives word for word."""
    async with LabClient(host.url) as client:
        with pytest.raises(ControlError, match=r"^there is no setting 'colour'\.$"):
            await client.device("meter1", "colour", 3)
        client.url += "/nowhere"
        with pytest.raises(ControlError, match="refused POST /answer with status 404"):
            await client.answer("orders", 1)


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"scenario": 3}', "null", "", "[" * 100_000])
async def test_nonsense_is_one_error(host: FakeHost, answer: str) -> None:
    """Whatever a host answers, the caller gets a record or a ControlError, never another exception."""
    host.broken["lab"] = host.broken["answer"] = answer
    async with LabClient(host.url) as client:
        with pytest.raises(ControlError):
            await client.lab()
        with pytest.raises(ControlError):
            await client.answer("orders", 1)


async def test_silence_is_one_sentence_without_the_token(host: FakeHost) -> None:
    """A host that is gone gives a sentence that says where and what to do, and keeps the secret part to itself."""
    await host.vanish()
    async with LabClient(host.url) as client:
        with pytest.raises(ControlError, match="does not answer") as caught:
            await client.lab()
    assert TOKEN not in str(caught.value)
    await host.return_()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http://[bad", "nonsense", "http://"])
async def test_what_is_no_address_is_said(url: str) -> None:
    """An address that cannot be one is a ControlError too."""
    async with LabClient(url) as client:
        with pytest.raises(ControlError):
            await client.lab()


async def test_feed_gives_each_entry_once_over_a_reconnect(host: FakeHost) -> None:
    """After the host was away the feed goes on from the last number; nothing is lost and nothing comes twice."""
    lost: list[ControlError] = []
    client = LabClient(host.url, pause_s=0.01)
    await host.push(entry(1), entry(2))
    async with asyncio.timeout(60), client, aclosing(client.feed(lost=lost.append)) as feed:
        assert [(await anext(feed)).seq for _ in range(2)] == [1, 2]
        await host.vanish()
        await host.return_()
        await host.push(entry(3), entry(4))
        assert [(await anext(feed)).seq for _ in range(2)] == [3, 4]
    assert lost
    assert host.since == ["0", "2"]


async def test_feed_starts_where_it_is_told(host: FakeHost) -> None:
    """``since`` is the first number that comes."""
    await host.push(*(entry(n) for n in range(1, 6)))
    async with LabClient(host.url) as client:
        assert [item.seq for item in await _take(client, 2, since=4)] == [4, 5]


async def test_entry_that_cannot_be_read_stays_visible(host: FakeHost) -> None:
    """A broken entry is shown as one, and the entries after it still arrive."""
    await host.push(entry(1), "{broken", '{"seq": 2, "text": 5}', "[]", entry(3))
    async with LabClient(host.url) as client:
        found = await _take(client, 5)
    assert [item.kind for item in found] == ["read", "unreadable", "unreadable", "unreadable", "read"]
    assert found[1].level == "error"


async def test_call_is_the_same_without_a_loop(host: FakeHost) -> None:
    """The synchronous twin gives the decoded answer, or the host's sentence."""
    answered = await asyncio.to_thread(call, host.url, "POST", "/answer", {"task": "orders", "value": "BADC"})
    assert answered == {"task": "orders", "value": "BADC"}
    assert (await asyncio.to_thread(call, host.url + "/", "GET", "/lab?lang=en"))["seed"] == 7
    with pytest.raises(ControlError, match="there is no setting"):
        await asyncio.to_thread(call, host.url, "POST", "/device", {"device": "meter1", "setting": "x", "value": 1})
    await host.vanish()
    with pytest.raises(ControlError, match="does not answer"):
        await asyncio.to_thread(call, host.url, "GET", "/lab")
    await host.return_()


def test_control_is_found_by_url_or_folder(tmp_path: Path) -> None:
    """A URL is taken as it is, a folder is asked for its control.json."""
    assert find_control("http://127.0.0.1:1/x/") == "http://127.0.0.1:1/x"
    (tmp_path / "control.json").write_text(json.dumps({"url": "http://127.0.0.1:2/y", "pid": 1}))
    assert find_control(tmp_path) == "http://127.0.0.1:2/y"
    assert find_control(str(tmp_path)) == "http://127.0.0.1:2/y"


def test_no_lab_is_said_with_what_to_do(tmp_path: Path) -> None:
    """A folder that is missing, idle or broken gives a sentence of its own."""
    with pytest.raises(AttemptError, match=r"there is no attempt folder .*labsim run"):
        find_control(tmp_path / "nowhere")
    with pytest.raises(AttemptError, match=r"no lab is running in .*start one with 'labsim run"):
        find_control(tmp_path)
    for text in ("{", "[]", '{"pid": 3}', "\xff"):
        (tmp_path / "control.json").write_text(text, encoding="latin-1")
        with pytest.raises(AttemptError, match="cannot be read"):
            find_control(tmp_path)


def test_client_imports_no_terminal_ui() -> None:
    """The commands start quickly because the client brings no terminal UI and no host with it."""
    code = (
        "import sys, labsim.client.client; "
        "print([m for m in ('textual', 'asyncua', 'pymodbus', 'starlette', 'uvicorn', 'simpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
