"""One running lab: a plant behind its endpoints, everything that happens kept in an attempt."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.grade import grade, mode_of
from grader.graded import graded_tags
from grader.probing import wanted_probes
from grader.verdict import Verdict
from grader.watched import watched_reads
from labsim.endpoints.endpoint import Endpoint
from labsim.errors import AttemptError, DiskError, EvidenceError, InputError, UnknownNameError
from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Entry, Event
from labsim.evidence.evidence import Evidence
from labsim.evidence.key import SigningKey
from labsim.evidence.live import LiveHistory
from labsim.evidence.manifest import Manifest, installed_versions
from labsim.evidence.polls import WINDOW_NS, Polls
from labsim.lab.build import build_endpoints, build_plant, nameplates, tag_infos
from labsim.lab.catalogue import LabCatalogue
from labsim.lab.coach import Coach
from labsim.lab.fault_layer import EndpointFaults
from labsim.lab.faults import GOOD, LabFaults
from labsim.lab.feed import Feed
from labsim.lab.inputs import Inputs
from labsim.lab.jitter import Jitter
from labsim.lab.links import Links
from labsim.lab.options import Options
from labsim.lab.outage import Outage
from labsim.lab.probes import Probes
from labsim.lab.recorder import Recorder
from labsim.lab.rogue.layer import Rogues
from labsim.plant import status
from labsim.plant.clock import MAX, STEP_NS, SimClock
from labsim.scenario.brief import Brief
from labsim.scenario.folder import scenario_files
from labsim.scenario.link import link_names
from labsim.scenario.load import load_scenario
from labsim.scenario.marking import Mode
from labsim.scenario.model import Scenario, Task
from labsim.scenario.timeline import drawn_entries

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
RETRY_S = 1.0
"""Wall seconds after which a disk that took nothing is tried again."""
_log = logging.getLogger(__name__)
_ASKED = ("hint", "answer")
"""Records of the trainee's own that a face asks for again and again, and that are therefore kept at hand."""


class Lab:
    """A lab from its first step to its seal; ``async with`` starts and ends it.

    Args:
        folder: The scenario's folder.
        options: How it is run. An unsealed attempt at ``options.attempt`` is resumed: same seed, same variants.

    Attributes:
        stopping: Set when somebody asked for the end or the evidence could not be kept any more.
        done: The time that the lab was to run is over.
        failure: Why the lab had to stop by itself, if it had to.
        outage: The disk takes nothing just now, and the plant stands until it does.
        verdict: What a closed lab tells whoever worked in it.
        marked: The whole of that.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        resumed = (options.attempt / "manifest.json").exists()
        seen = Evidence.load(options.attempt) if resumed else None
        self.options, self.scenario_folder = options, folder
        self.seed = seen.manifest.seed if seen else options.seed
        self.scenario: Scenario = load_scenario(
            options.attempt / "scenario" if seen else folder,
            seed=self.seed,
            catalogue=LabCatalogue(),
            drawn=seen.manifest.variants if seen else None,
        )
        self.clock = SimClock(options.speed, seen.manifest.utc_origin_ns if seen else None)
        self.plant = build_plant(self.scenario, self.seed, self.clock)
        self.brief = Brief.load(options.attempt / "scenario" if seen else folder, self.scenario.drawn)
        self.graded = graded_tags(self.scenario)
        self.stopping = asyncio.Event()
        self.done = False
        self.failure: EvidenceError | None = None
        self.outage: Outage | None = None
        self._late_t: int | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._halting = False
        self.verdict: dict[str, Any] | None = None
        self.marked: Verdict | None = None
        self.plant.start()
        if seen:
            self.attempt = Attempt.resume(options.attempt, self._evidence_t, SigningKey())
            Inputs(self.plant, seen.records).advance_to(self.attempt.next_step)
        else:
            self.attempt = self._create()
        self.feed = Feed(Coach(self.plant))
        self._recorder = Recorder(self.plant.store, self.attempt, self.graded)
        self._jitter = Jitter(options.speed)
        self.mode: Mode = mode_of(seen, self.scenario) if seen else "exam" if options.exam else self.scenario.mode
        self._polls = Polls(self.keep, watched_reads(self.scenario).needs, self.clock.now_ns)
        self._links = Links(self.scenario.endpoints, seed=self.seed, speed=options.speed)
        try:
            self._endpoints: list[Endpoint] = build_endpoints(
                self.scenario, self.plant, options, self._polls, self._links.guards, self._recorded()
            )
            self._rogues = Rogues(
                self.plant,
                self.scenario,
                self._endpoints,
                self._links.names,
                clock=self.clock,
                seed=self.seed,
                certificates=options.attempt / "certificates",
                note=self.note,
                acted=frozenset(
                    int(one.detail["number"])
                    for one in (seen.of("lab", "rogue") if seen else ())
                    if "result" in one.detail
                ),
            )
            self.faults = LabFaults(
                self.plant,
                [self._links, EndpointFaults(self._endpoints, self._links.names), self._rogues],
                drawn_entries(self.scenario.timeline, self.seed, self.scenario.id),
                lambda device, setting, value, entry: self._set(device, setting, value, "timeline", entry=entry),
                self.note,
            )
        except BaseException:
            self.attempt.discard()
            raise
        self._probes = Probes(
            wanted_probes(self.scenario),
            {
                name: self._endpoints[number]
                for name, number in link_names([(e.protocol, e.spec.port) for e in self.scenario.endpoints]).items()
            },
            options.attempt / "certificates",
            self.note,
            lambda: self.attempt.seq,
        )
        self._probes.skip_until(self.clock.step_time_ns if seen else -1)
        self._earlier = seen.records if seen else ()
        self._tickers = [tick for tick in (getattr(e, "tick", None) for e in self._endpoints) if tick is not None]
        self._stack = AsyncExitStack()
        self._pace: asyncio.Task[None] | None = None
        self._closing = asyncio.Lock()
        self.clients: dict[str, dict[str, str]] = {}
        self._asked: list[Event] = [record for record in self._earlier if record.kind in _ASKED]

    def _recorded(self) -> LiveHistory:
        """The attempt's own history while it is written."""
        return LiveHistory(self.attempt.folder, {tag.path: tag for tag in self.attempt.tags})

    def _create(self) -> Attempt:
        manifest = Manifest.new(
            scenario=self.scenario.id,
            title=dict(self.scenario.title),
            seed=self.seed,
            variants=dict(self.scenario.drawn),
            speed=self.options.speed,
            lang=self.options.lang,
            utc_origin_ns=self.clock.utc_origin_ns,
            devices=nameplates(self.plant),
        )
        return Attempt.create(
            self.options.attempt,
            manifest=manifest,
            tags=tag_infos(self.plant, self.graded),
            scenario_files=scenario_files(self.scenario_folder),
            clock_t=self._evidence_t,
            key=SigningKey(),
        )

    # ---- life ----

    async def __aenter__(self) -> Self:
        try:
            self.faults.restore(self._earlier)
            for endpoint in self._endpoints:
                await self._stack.enter_async_context(endpoint)
            self._stack.callback(self._links.shut)  # before the endpoints close
            self._stack.push_async_callback(self._rogues.close)
            self.note(
                "host-start", detail={
                    "pid": os.getpid(), "speed": self.options.speed, "mode": self.mode, "versions": installed_versions(),
                },
            )  # fmt: skip
            self._recorder.sample(self.clock.step)
        except BaseException:
            await self._stack.aclose()
            self.attempt.discard()
            raise
        until = None if self.options.until is None else round(self.options.until * 1e9 / STEP_NS)
        self._pace = asyncio.create_task(self.clock.run(self._step, until), name="plant")
        self._pace.add_done_callback(self._paced)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._halt()
        self.feed.close()
        self.attempt.close()

    def _paced(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and self.failure is None:
            self.done = task.exception() is None
            self.stopping.set()  # its time is over, or it failed: `close` raises what it was

    def _step(self) -> None:
        self.faults.tick(self.clock.step_time_ns)
        self._rogues.tick(self.clock.step_time_ns)
        self._probes.tick(self.clock.step_time_ns)
        self.plant.advance()
        try:
            self._recorder.sample(self.clock.step)
        except DiskError as error:
            self._begin_outage(error).sample = True
        if self.clock.speed < MAX and (measured := self._jitter.add(self.clock.behind_ns)) is not None:
            self.note("jitter", detail=measured)
        if self.clock.step_time_ns % WINDOW_NS == 0:
            self._polls.tell(self.clock.step_time_ns)
        for tick in self._tickers:
            tick()

    async def _halt(self) -> None:
        """Stop the plant, then close every connection."""
        self._halting = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._pace is not None and not self._pace.done():
            self._pace.cancel()
            await asyncio.wait([self._pace])
        await self._stack.aclose()

    async def close(self, reason: str) -> dict[str, Any]:
        """End the lab: endpoints closed, hand-in kept, graded, sealed. Returns the verdict; a second call returns it again.

        Raises:
            EvidenceError: the evidence could not be kept to the end; what was kept is intact and can be graded.
        """
        async with self._closing:
            if self.verdict is not None:
                return self.verdict
            if self.outage is not None and not self._go_on():
                raise self.outage.error
            if self.failure is None:
                await self._probes.at_check(None)
            await self._halt()
            if self.failure is not None:
                raise self.failure
            if self._pace is not None and not self._pace.cancelled() and (error := self._pace.exception()):
                raise error
            try:
                self.marked = verdict = await self._end(reason)
            except EvidenceError as error:
                self.failure = self.failure or error
                self.stopping.set()
                raise
            self.verdict = verdict.to_json(self.options.lang, verdict.voice)
            self.stopping.set()
            return self.verdict

    async def _end(self, reason: str) -> Verdict:
        """What is kept last: the hand-in, the verdict, the seal."""
        if (measured := self._jitter.take()) is not None:
            self.note("jitter", detail=measured)
        self.note("submit")
        self.attempt.snapshot_handin()
        self.note("host-stop", detail={"reason": reason})
        verdict = await asyncio.to_thread(self._mark, None)
        self.attempt.save_verdict(verdict.to_json(self.options.lang))
        self.attempt.seal()
        return verdict

    async def verdict_in(self, lang: str) -> dict[str, Any]:
        """The verdict of a closed lab in another language than its own; only the one in its own is kept."""
        return await asyncio.to_thread(self._grade, None, lang)

    # ---- evidence ----

    def keep(self, entries: Sequence[Entry]) -> None:
        """Where the events of every endpoint go: they are kept, then put into words for whoever watches.

        Raises:
            DiskError: they could not be kept; the plant stands until the disk takes them, since nothing may happen
                without evidence. What had happened already is kept then, see `labsim.lab.outage`.
            EvidenceError: nothing can be kept any more, and the lab stops.
        """
        if self.outage is None:
            try:
                self._tell(entries, self.attempt.write_all(entries))
            except DiskError as error:
                self._begin_outage(error)
            except EvidenceError as error:
                self.failure = self.failure or error
                self.stopping.set()
                raise
            else:
                return
        assert self.outage is not None
        if not self.outage.take(entries, self.clock.now_ns(), self.clients):
            raise self.outage.error

    def _tell(self, entries: Sequence[Entry], lines: Sequence[bytes]) -> None:
        """What was kept, for whoever watches."""
        for entry in entries:
            if isinstance(entry, Event):  # what comes encoded is a read or a write, which changes nothing here
                self._track(entry)
        self.feed.push(lines)

    def _evidence_t(self) -> int:
        """Plant time of what is kept now: now, or when something late had happened."""
        return self.clock.now_ns() if self._late_t is None else self._late_t

    def _begin_outage(self, error: DiskError) -> Outage:
        """The disk takes nothing: freeze the plant, and try once a second until it does.

        Raises:
            DiskError: the lab does not run yet, or no more; then nothing can wait.
        """
        if self.outage is not None:
            return self.outage
        if self._pace is None or self._halting:
            self.failure = self.failure or error
            self.stopping.set()
            raise error
        self.outage = Outage(error, self.clock.now_ns(), by_hand=self.clock.paused)
        self._freeze()
        _log.error("the plant is paused: %s The lab then goes on by itself.", error)
        self._waiting = asyncio.get_running_loop().create_task(self._wait_for_disk(), name="disk")
        return self.outage

    async def _wait_for_disk(self) -> None:
        while self.outage is not None:
            await asyncio.sleep(RETRY_S)
            self._go_on()

    def _go_on(self) -> bool:
        """Try whether the disk takes evidence again; if it does, keep what is late and let the plant go on."""
        outage = self.outage
        if outage is None:
            return True
        try:
            self._late_t, refused = outage.t, outage.refused
            if refused or outage.late or not outage.told:
                error = str(outage.error)
                self.feed.push([self.attempt.tell_refused(refused, len(outage.late), error, outage.since_ns)])
                outage.refused, outage.told = 0, True
            while outage.late:
                self._late_t, event = outage.late[0]
                self._tell((event,), self.attempt.write_all((event,)))
                del outage.late[0]
            self._late_t = None
            if outage.sample:
                self._recorder.sample(self.clock.step)
                outage.sample = False
            if not outage.by_hand:
                phases = [
                    Event(kind="pause", protocol="lab", detail={"phase": phase, "reason": "the disk took nothing"})
                    for phase in ("begin", "end")
                ]
                self._tell(phases, self.attempt.write_all(phases))
        except DiskError as error:
            outage.error = DiskError(outage.error.place, error.reason)  # where it began, and why it still is so
            return False
        except EvidenceError as error:
            self.failure, self.outage = self.failure or error, None
            self.stopping.set()
            return False
        finally:
            self._late_t = None
        self.outage = None
        _log.warning("the disk takes evidence again, and the lab goes on; %d events were refused", refused)
        if not outage.by_hand:
            self._thaw()
        return True

    def note(self, kind: str, **fields: Any) -> None:
        """Keep an event of the lab itself."""
        self._polls(Event(kind=kind, protocol="lab", **fields))

    def _track(self, event: Event) -> None:
        if event.kind in _ASKED:
            self._asked.append(event)
        if event.kind == "open":
            self.clients[event.session] = {"protocol": event.protocol, "client": event.client, "app": ""}
        elif event.kind == "close":
            # an OPC UA client that hangs up in a session closes under the session's name, and opened under the connection's
            where = event.protocol, event.client
            gone = [
                key
                for key, one in self.clients.items()
                if key == event.session or (one["protocol"], one["client"]) == where
            ]
            for key in gone:
                del self.clients[key]
        elif event.app and event.session in self.clients:
            self.clients[event.session]["app"] = event.app

    # ---- what people do ----

    async def check(self, task: str | None, lang: str | None = None) -> dict[str, Any]:
        """Mark the attempt so far, all tasks or one. The hand-in folder is kept as it is now."""
        if task is not None:
            self.task(task)
        await self._probes.at_check(task)
        self.note("check", detail={"task": task} if task else {})
        try:
            self.attempt.snapshot_handin()
        except DiskError as error:
            self._begin_outage(error)
            raise
        return await asyncio.to_thread(self._grade, task, lang or self.options.lang)

    def _grade(self, task: str | None, lang: str) -> dict[str, Any]:
        """The verdict so far, as far as whoever works here may know it."""
        verdict = self._mark(task)
        return verdict.to_json(lang, verdict.voice)

    def _mark(self, task: str | None) -> Verdict:
        return grade(Evidence.load(self.options.attempt), self.scenario, task=task)

    def task(self, name: str) -> Task:
        """The task called ``name``."""
        for task in self.scenario.tasks:
            if task.id == name:
                return task
        raise UnknownNameError("task", name, [task.id for task in self.scenario.tasks])

    def opened_hints(self, task: str) -> int:
        """How many hints of a task were opened so far, in this or an earlier epoch."""
        return sum(record.kind == "hint" and record.detail["task"] == task for record in self._asked)

    def answered(self, task: str) -> Any:
        """The last answer to a task, None when there is none."""
        given = [record for record in self._asked if record.kind == "answer" and record.detail["task"] == task]
        return given[-1].values[0] if given else None

    def hint(self, name: str, lang: str | None = None) -> dict[str, Any]:
        """Open the next hint of a task; its cost is journalled first."""
        task, opened = self.task(name), self.opened_hints(name)
        if self.mode == "exam":
            raise AttemptError("there are no hints in an exam.")
        if opened >= len(task.hints):
            raise AttemptError(f"there is no further hint for {name!r}.")
        hint = task.hints[opened]
        self.note("hint", detail={"task": name, "index": opened, "cost": hint.cost})
        text = hint.text.say(lang or self.options.lang)
        return {"task": name, "text": text, "cost": hint.cost, "left": len(task.hints) - opened - 1}

    def answer(self, name: str, value: Any) -> dict[str, Any]:
        """Keep an answer to a task; the last one counts."""
        task = self.task(name)
        if task.answer is None:
            asked = [t.id for t in self.scenario.tasks if t.answer is not None]
            raise InputError(f"task {name!r} asks for no answer. Tasks that do: {', '.join(asked) or 'none'}.")
        self.note("answer", detail={"task": name}, values=[value])
        return {"task": name, "value": value}

    def configure(self, device: str, setting: str, value: Any, *, by: str = "trainee") -> dict[str, Any]:
        """Change a setting of a device."""
        if device not in self.plant.devices:
            raise UnknownNameError("device", device, self.plant.devices)
        spec = self.plant.devices[device].interface.settings.get(setting)
        secret = setting in self.scenario.plant[device].settings or (spec is not None and spec.hidden)
        if by == "trainee" and secret:
            raise InputError(f"{device}.{setting} is part of the exercise and cannot be changed here.")
        if self.clock.paused:
            raise AttemptError("the plant is paused; nothing of it changes until 'labsim resume'.")
        return {"device": device, "setting": setting, "value": self._set(device, setting, value, by)}

    def _set(self, device: str, setting: str, value: Any, by: str, **about: Any) -> Any:
        parsed = self.plant.devices[device].configure(setting, value)
        self.note("setting", device=device, values=[parsed], detail={"setting": setting, "by": by, **about})
        return parsed

    def fault(self, target: str, fault: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Let something fail, or with the fault ``good`` end everything that is wrong with a target.

        Args:
            target: ``device``, ``device.tag``, ``link.modbus``, ``endpoint.modbus``.
            fault: What happens to it.
            settings: Its parameters, ``for`` and ``hidden``.

        Raises:
            UnknownNameError: there is no such target, fault or parameter.
            InputError: the settings do not make a fault.
        """
        if self.clock.paused:
            raise AttemptError("the plant is paused; nothing can go wrong until 'labsim resume'.")
        if fault == GOOD:
            return {"target": target, "fault": fault, "ended": self.faults.clear(target, by="instructor")}
        hidden = settings.get("hidden", False)
        if not isinstance(hidden, bool):
            raise InputError("'hidden' is true or false.")
        given = {name: value for name, value in settings.items() if name != "hidden"}
        self.faults.begin(target, fault, given, self.clock.now_ns(), hidden=hidden, by="instructor")
        return {"target": target, "fault": fault}

    def pause(self) -> dict[str, Any]:
        """Freeze the plant: time stands still, values can be read, and what would change the plant is refused."""
        if not self.clock.paused:
            self.note("pause", detail={"phase": "begin"})
            self._freeze()
        return {"state": self.state, "t": self.clock.now_ns() / 1e9}

    def resume(self) -> dict[str, Any]:
        """Let the plant go on from where it was frozen."""
        if self.outage is not None:
            raise self.outage.error
        if self.clock.paused:
            self._thaw()
            self.note("pause", detail={"phase": "end"})
        return {"state": self.state, "t": self.clock.now_ns() / 1e9}

    def _freeze(self) -> None:
        self.clock.pause()
        self.plant.store.refusing = status.BAD_INVALID_STATE

    def _thaw(self) -> None:
        self.plant.store.refusing = status.GOOD
        self.clock.resume()

    # ---- what people see ----

    def open_settings(self, device: str) -> list[str]:
        """Settings a trainee may see and change: not what the scenario fixes, since that is the exercise, nor what is hidden."""
        fixed, known = self.scenario.plant[device].settings, self.plant.devices[device].interface.settings
        return [name for name, spec in known.items() if name not in fixed and not spec.hidden]

    @property
    def state(self) -> str:
        """running, paused or stopped."""
        return STOPPED if self.stopping.is_set() else PAUSED if self.clock.paused else RUNNING

    def addresses(self) -> list[dict[str, Any]]:
        """Every address of every endpoint, as the ``ready`` line prints them."""
        return [address.to_json() for endpoint in self._endpoints for address in endpoint.addresses()]

    def ready(self, control: str) -> dict[str, Any]:
        """The ``ready`` line."""
        return {
            "event": "ready",
            "attempt": str(self.options.attempt),
            "seed": self.seed,
            "control": control,
            "endpoints": self.addresses(),
        }
