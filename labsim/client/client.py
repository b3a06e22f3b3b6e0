"""The client of a running lab: every command and every face speaks to the host through this.

``LabClient`` is for programs with a loop, ``call`` for those without. Both turn whatever goes wrong into a `ControlError`
of one sentence that never shows the secret part of the address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from labsim.client.picture import Mimic
from labsim.client.records import FaultInfo, FeedEntry, HintText, Lab, Verdict, read
from labsim.client.stream import EventStream
from labsim.errors import AttemptError, ControlError

CONNECT_S = 3.0
ANSWER_S = 10.0
GRADE_S = 300.0
LONGEST_PAUSE_S = 2.0


class LabClient:
    """A running lab, by the URL of its control API. ``url`` may be set anew when the host comes back elsewhere.

    Args:
        url: Base URL with its token.
        pause_s: First pause before the feed connects again; doubles up to `LONGEST_PAUSE_S`.
    """

    def __init__(self, url: str, *, pause_s: float = 0.25) -> None:
        self.url = url.rstrip("/")
        self._pause_s = pause_s
        self._http = _http(self.url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def lab(self, lang: str = "en") -> Lab:
        """Everything there is to know about the lab now."""
        return read(Lab, await self._ask("GET", "/lab", params={"lang": lang}))

    async def mimic(self, lang: str = "en") -> Mimic:
        """The picture of the plant as it is now."""
        return read(Mimic, await self._ask("GET", "/mimic", params={"lang": lang}))

    async def check(self, task: str | None = None, lang: str = "en") -> Verdict:
        """Mark the attempt so far: one task, or all."""
        return read(Verdict, await self._ask("POST", "/check", {"task": task, "lang": lang}, wait_s=GRADE_S))

    async def hint(self, task: str, lang: str = "en") -> HintText:
        """Open the next hint of a task and pay for it."""
        return read(HintText, await self._ask("POST", "/hint", {"task": task, "lang": lang}))

    async def answer(self, task: str, value: Any) -> Any:
        """Answer the question of a task; the value as the lab took it."""
        return _field(await self._ask("POST", "/answer", {"task": task, "value": value}), "value")

    async def device(self, device: str, setting: str, value: Any) -> Any:
        """Change a setting of a device; the value as the device took it."""
        return _field(
            await self._ask("POST", "/device", {"device": device, "setting": setting, "value": value}), "value"
        )

    async def targets(self) -> list[str]:
        """What may fail in the lab: devices, tags, endpoints and links by name."""
        return read(list[str], _field(await self._ask("GET", "/faults"), "targets"))

    async def faults(self, target: str, lang: str = "en") -> list[FaultInfo]:
        """What may happen to a target; never what does."""
        answer = await self._ask("GET", "/faults", params={"target": target, "lang": lang})
        return read(list[FaultInfo], _field(answer, "faults"))

    async def begin_fault(self, target: str, fault: str, given: Mapping[str, Any]) -> None:
        """Let something fail; ``given`` are its parameters, ``for`` (a duration of plant time) and ``hidden``."""
        await self._ask("POST", "/fault", {**given, "target": target, "fault": fault})

    async def end_faults(self, target: str) -> int:
        """End every fault of a target; how many there were."""
        return read(int, _field(await self._ask("POST", "/fault", {"target": target, "fault": "good"}), "ended"))

    async def pause(self) -> str:
        """Freeze the plant; the lab's state then."""
        return str(_field(await self._ask("POST", "/pause", {}), "state"))

    async def resume(self) -> str:
        """Let the plant go on; the lab's state then."""
        return str(_field(await self._ask("POST", "/resume", {}), "state"))

    async def stop(self, lang: str | None = None) -> Verdict:
        """Grade, seal and close the lab; reasons in ``lang``, or in the lab's own language."""
        return read(Verdict, await self._ask("POST", "/stop", {"lang": lang}, wait_s=GRADE_S))

    async def manual(self, type_: str, lang: str = "en") -> str:
        """The datasheet of a device type, as Markdown."""
        return str(_field(await self._ask("GET", "/manual", params={"type": type_, "lang": lang}), "markdown"))

    async def feed(
        self, since: int = 0, *, lost: Callable[[ControlError], None] | None = None
    ) -> AsyncIterator[FeedEntry]:
        """What happens, from journal number ``since`` on, live and each number once.

        Goes on until the caller stops: when the host goes away it calls ``lost`` and tries again from the last number.
        """
        last, pause_s = since - 1, self._pause_s
        while True:
            try:
                async for data in self._events(max(since, last)):
                    pause_s = self._pause_s
                    entry = _entry(data)
                    if entry.seq > last or entry.kind == "unreadable":
                        last = max(last, entry.seq)
                        yield entry
                problem = ControlError(f"the lab at {_host(self.url)} ended its feed")
            except ControlError as error:
                problem = error
            if lost is not None:
                lost(problem)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _events(self, since: int) -> AsyncIterator[str]:
        wait = httpx.Timeout(None, connect=CONNECT_S)
        stream = EventStream()
        try:
            async with self._http.stream(
                "GET",
                self.url + "/feed",
                params={"since": since},
                timeout=wait,
                headers={"Accept": "text/event-stream"},
            ) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    _result(answer)
                async for chunk in answer.aiter_bytes():
                    for data in stream.push(chunk):
                        yield data
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _silence(self.url, error) from None

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        params: dict[str, str] | None = None,
        wait_s: float = ANSWER_S,
    ) -> Any:
        try:
            answer = await self._http.request(
                method, self.url + path, json=body, params=params, timeout=httpx.Timeout(wait_s, connect=CONNECT_S)
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _silence(self.url, error) from None
        return _result(answer)


def call(url: str, method: str, path: str, body: dict[str, Any] | None = None, *, wait_s: float = GRADE_S) -> Any:
    """Ask a running lab once, without a loop; the decoded JSON of its answer.

    Raises:
        ControlError: it did not answer, or refused.
    """
    url = url.rstrip("/")
    try:
        with httpx.Client(verify=url.startswith("https:"), trust_env=False) as http:
            answer = http.request(method, url + path, json=body, timeout=httpx.Timeout(wait_s, connect=CONNECT_S))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _silence(url, error) from None
    return _result(answer)


def find_control(attempt_or_url: str | Path) -> str:
    """The control URL of a running lab: a URL as it is, or what ``control.json`` of an attempt folder says.

    Raises:
        AttemptError: there is no such folder, or no lab is running there.
    """
    text = str(attempt_or_url)
    if text.startswith(("http://", "https://")):
        return text.rstrip("/")
    folder = Path(text)
    if not folder.is_dir():
        raise AttemptError(
            f"there is no attempt folder {text}; start a lab with 'labsim run SCENARIO --attempt {text}'"
        )
    control = folder / "control.json"
    try:
        url = _field(json.loads(control.read_bytes()), "url")
    except FileNotFoundError:
        raise AttemptError(
            f"no lab is running in {text}; start one with 'labsim run SCENARIO --attempt {text}'"
        ) from None
    except (OSError, ValueError, ControlError) as error:
        raise AttemptError(
            f"{control} cannot be read ({error}); stop the lab that runs there and start it again"
        ) from None
    return str(url).rstrip("/")


def _http(url: str) -> httpx.AsyncClient:
    # Certificates are only loaded where there are some to judge, and a proxy has no business between us and loopback.
    return httpx.AsyncClient(verify=url.startswith("https:"), trust_env=False)


def _host(url: str) -> str:
    return url.partition("//")[2].partition("/")[0] or "that address"


def _silence(url: str, error: Exception) -> ControlError:
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return ControlError(f"{_host(url)} is not the address of a lab; it looks like http://127.0.0.1:PORT/TOKEN")
    if isinstance(error, httpx.ReadTimeout):
        return ControlError(f"the lab at {_host(url)} took too long to answer; try again, or look at its log")
    return ControlError(f"the lab at {_host(url)} does not answer; is it still running? 'labsim run' starts one")


def _result(answer: httpx.Response) -> Any:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    where = f"{answer.request.method} /{answer.request.url.path.rpartition('/')[2]}"
    if answer.is_success:
        if body is None:
            raise ControlError(f"{_host(str(answer.request.url))} answered {where} without JSON; is it really a lab?")
        return body
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        raise ControlError(body["error"])
    raise ControlError(f"the lab at {_host(str(answer.request.url))} refused {where} with status {answer.status_code}")


def _field(body: Any, name: str) -> Any:
    if not isinstance(body, dict) or name not in body:
        raise ControlError(f"the lab's answer has no {name!r}; use the same version of labsim on both sides")
    return body[name]


def _entry(data: str) -> FeedEntry:
    """A feed entry; one that cannot be read stays visible, so that nothing that happened goes missing in silence."""
    seq = 0
    try:
        raw = json.loads(data)
        seq = raw["seq"] if isinstance(raw, dict) and isinstance(raw.get("seq"), int) else seq
        return read(FeedEntry, raw)
    except (ValueError, RecursionError, ControlError) as error:
        text = f"an entry that this version of labsim cannot read: {error}"
        return FeedEntry(seq=seq, protocol="lab", kind="unreadable", level="error", text={"en": text})
