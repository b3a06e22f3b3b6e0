"""One running lab: a plant behind its endpoints, everything that happens kept in an attempt."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.graded import graded_tags
from grader.probing import wanted_probes
from grader.verdict import Verdict
from grader.watched import watched_reads
from labsim.endpoints.endpoint import Endpoint
from labsim.errors import EvidenceError
from labsim.evidence.live import LiveHistory
from labsim.evidence.manifest import installed_versions
from labsim.lab.build import build_endpoints, build_plant
from labsim.lab.coach import Coach
from labsim.lab.examiner import Examiner
from labsim.lab.fault_layer import EndpointFaults
from labsim.lab.faults import LabFaults
from labsim.lab.feed import Feed
from labsim.lab.inputs import Inputs
from labsim.lab.instructor import Instructor
from labsim.lab.jitter import Jitter
from labsim.lab.keeper import Keeper
from labsim.lab.ledger import EvidenceClock, Ledger
from labsim.lab.links import Links
from labsim.lab.options import Options
from labsim.lab.origin import Origin
from labsim.lab.probes import Probes
from labsim.lab.rogue.layer import Rogues
from labsim.lab.settings import Settings
from labsim.lab.tasks import Tasks
from labsim.plant.clock import MAX, STEP_NS, SimClock
from labsim.scenario.link import link_names
from labsim.scenario.timeline import drawn_entries

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"


class Lab:
    """A lab from its first step to its seal; ``async with`` starts and ends it.

    Args:
        folder: The scenario's folder.
        options: How it is run. An unsealed attempt at ``options.attempt`` is resumed: same seed, same variants.

    Attributes:
        stopping: Set when somebody asked for the end or the evidence could not be kept any more.
        done: The time that the lab was to run is over.
        ledger: What is kept, and whose connection is open.
        keeper: Keeps what happens; says whether the lab has to wait for its disk, or had to stop by itself.
        tasks: What was asked for and answered.
        settings: Those of its devices.
        faults: What goes wrong.
        instructor: Lets something fail, or the plant stand.
        examiner: Marks its attempt.
        feed: What happens, in words.
        verdict: What a closed lab tells whoever worked in it.
        marked: The whole of that.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        origin = Origin(folder, options)
        self.options, self.seed, self.mode = options, origin.seed, origin.mode
        self.scenario, self.brief = origin.scenario, origin.brief
        self.clock = SimClock(options.speed, origin.utc_origin_ns)
        self.plant = build_plant(self.scenario, self.seed, self.clock)
        self.graded = graded_tags(self.scenario)
        self.stopping = asyncio.Event()
        self.done = False
        self.verdict: dict[str, Any] | None = None
        self.marked: Verdict | None = None
        self.plant.start()
        when = EvidenceClock(self.clock)
        self.attempt = origin.open(self.plant, self.graded, when)
        try:
            if origin.resumed:
                Inputs(self.plant, origin.records).advance_to(self.attempt.next_step)
            self.feed = Feed(Coach(self.plant))
            self.ledger = Ledger(self.attempt, when, self.plant, self.graded, self.feed)
            self.keeper = Keeper(self.ledger, self.plant, watched_reads(self.scenario).needs, self.stopping)
            self.tasks = Tasks(self.scenario.tasks, self.mode, origin.records, self.keeper.note)
            self.ledger.watchers.append(self.tasks.see)
            self.settings = Settings(self.plant, self.scenario, self.keeper.note)
            self._connect(origin)
        except BaseException:
            self.attempt.discard()
            raise
        self._earlier = origin.records
        self._jitter = Jitter(options.speed)
        self._tickers = [tick for tick in (getattr(e, "tick", None) for e in self._endpoints) if tick is not None]
        self._stack = AsyncExitStack()
        self._pace: asyncio.Task[None] | None = None
        self._closing = asyncio.Lock()

    def _connect(self, origin: Origin) -> None:
        """Give the plant its endpoints, and what comes to it through them: faults, rogue clients, probes."""
        scenario, options, note = self.scenario, self.options, self.keeper.note
        certificates = options.attempt / "certificates"
        self._links = Links(scenario.endpoints, seed=self.seed, speed=options.speed)
        history = LiveHistory(self.attempt.folder, {tag.path: tag for tag in self.attempt.tags})
        self._endpoints: list[Endpoint] = build_endpoints(
            scenario, self.plant, options, self.keeper.polls, self._links.guards, history
        )
        self._rogues = Rogues(
            self.plant, scenario, self._endpoints, self._links.names,
            clock=self.clock, seed=self.seed, certificates=certificates, note=note, earlier=origin.records,
        )  # fmt: skip
        self.faults = LabFaults(
            self.plant,
            [self._links, EndpointFaults(self._endpoints, self._links.names), self._rogues],
            drawn_entries(scenario.timeline, self.seed, scenario.id),
            self.settings.happen,
            note,
        )
        self.instructor = Instructor(self.plant, self.faults, self.keeper)
        names = link_names([(one.protocol, one.spec.port) for one in scenario.endpoints])
        self._probes = Probes(
            wanted_probes(scenario),
            {name: self._endpoints[number] for name, number in names.items()},
            certificates,
            note,
            lambda: self.attempt.seq,
        )
        self._probes.skip_until(self.clock.step_time_ns if origin.resumed else -1)
        self.examiner = Examiner(self.attempt, scenario, self.tasks, self.keeper, self._probes, options.lang)

    # ---- life ----

    async def __aenter__(self) -> Self:
        try:
            self.faults.restore(self._earlier)
            for endpoint in self._endpoints:
                await self._stack.enter_async_context(endpoint)
            self._stack.callback(self._links.shut)  # before the endpoints close
            self._stack.push_async_callback(self._rogues.close)
            self.keeper.note(
                "host-start", detail={
                    "pid": os.getpid(), "speed": self.options.speed, "mode": self.mode, "versions": installed_versions(),
                },
            )  # fmt: skip
            self.keeper.sample()
        except BaseException:
            await self._stack.aclose()
            self.attempt.discard()
            raise
        until = None if self.options.until is None else round(self.options.until * 1e9 / STEP_NS)
        self._pace = asyncio.create_task(self.clock.run(self._step, until), name="plant")
        self._pace.add_done_callback(self._paced)
        self.keeper.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._halt()
        self.feed.close()
        self.attempt.close()

    def _paced(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and self.keeper.failure is None:
            self.done = task.exception() is None
            self.stopping.set()  # its time is over, or it failed: `close` raises what it was

    def _step(self) -> None:
        now = self.clock.step_time_ns
        self.faults.tick(now)
        self._rogues.tick(now)
        self._probes.tick(now)
        self.plant.advance()
        self.keeper.sample()
        if self.clock.speed < MAX and (measured := self._jitter.add(self.clock.behind_ns)) is not None:
            self.keeper.note("jitter", detail=measured)
        self.keeper.tell_polls()
        for tick in self._tickers:
            tick()

    async def _halt(self) -> None:
        """Stop the plant, then close every connection."""
        self.keeper.end()
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
            self.keeper.go_on()
            if self.keeper.outage is not None:
                raise self.keeper.outage.error
            if self.keeper.failure is None:
                await self._probes.at_check(None)
            await self._halt()
            if self.keeper.failure is not None:
                raise self.keeper.failure
            if self._pace is not None and not self._pace.cancelled() and (error := self._pace.exception()):
                raise error
            try:
                if (measured := self._jitter.take()) is not None:
                    self.keeper.note("jitter", detail=measured)
                self.marked = await self.examiner.conclude(reason)
            except EvidenceError as error:
                self.keeper.fail(error)
                raise
            self.verdict = self.marked.to_json(self.options.lang, self.marked.voice)
            self.stopping.set()
            return self.verdict

    # ---- what people see ----

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
