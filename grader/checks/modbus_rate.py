"""The check of how many requests a Modbus device gets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.check import Check, Params
from grader.checks.modbus import REQUESTS
from grader.checks.mqtt_pace import fullest
from grader.checks.never import untouched
from grader.outcome import Outcome, partly, passed
from grader.window import nanoseconds
from grader.words import clock, duration, names
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import DevicePath
from labsim.text import Text, tr


class RateParams(Params):
    """Parameters of `Rate`."""

    devices: Annotated[tuple[DevicePath, ...], Field(min_length=1)] = Field(description="The devices.")
    most: Annotated[int, Field(ge=1)] = Field(description="Requests that one of them may get within `per`.")
    per: Duration = Field(1.0, description="The length of the window, in plant time; it is laid everywhere.")
    at_least: Annotated[int, Field(ge=1)] = Field(
        20, description="Requests to each that must be there for it to count."
    )


class Rate(Check[RateParams]):
    """No device gets more Modbus requests than it can bear.

    Nowhere may more than `most` requests to a device fall into a window of length `per`, answered or not, whoever sent them.
    Each device carries an equal share of the marks; it counts only once it got `at_least` requests.

    Example::

        modbus.rate: {devices: [meter1, meter2], most: 10, per: 1 s, at_least: 100, marks: 2}
    """

    name = "modbus.rate"
    judges = "absence"
    reads = "devices"
    sentence = tr(
        "At most {p.most} requests within {per} to: {devices}",
        "每 {per} 至多 {p.most} 次請求：{devices}",
        "每 {per} 至多 {p.most} 次请求：{devices}",
    )
    Params = RateParams

    def title(self, params: RateParams) -> Text:
        """Names limit and devices."""
        return self.sentence.format(p=params, per=duration(params.per), devices=names(params.devices))

    def judge(self, evidence: Evidence, params: RateParams) -> Outcome:
        """Look for the fullest window of each device."""
        requests = {device: evidence.of("modbus", REQUESTS, device) for device in params.devices}
        expected = f"≤ {params.most} / {duration(params.per)}"
        idle = [device for device, rows in requests.items() if len(rows) < params.at_least]
        if len(idle) == len(requests):
            rows = requests[idle[0]]
            return untouched(len(rows), params.at_least, rows)
        busiest = {device: fullest(rows, nanoseconds(params.per)) for device, rows in requests.items()}
        over = [device for device, rows in busiest.items() if len(rows) > params.most]
        worst = max(busiest, key=lambda device: len(busiest[device]))
        actual = f"{worst}: {len(busiest[worst])} / {duration(params.per)}"
        share = 1 - len({*idle, *over}) / len(requests)
        if over:
            reason = tr(
                "{device} got {n} requests within {per} from {time}.",
                "{device} 自 {time} 起在 {per} 內收到 {n} 次請求。",
                "{device} 自 {time} 起在 {per} 内收到 {n} 次请求。",
            ).format(
                device=worst, n=len(busiest[worst]), per=duration(params.per), time=clock(evidence, busiest[worst][0].t)
            )
            return partly(share, reason, expected=expected, actual=actual, evidence=busiest[worst])
        if idle:
            reason = tr("Hardly asked: {devices}.", "請求過少：{devices}。", "请求过少：{devices}。")
            few = [r for device in idle for r in requests[device]]
            return partly(share, reason.format(devices=names(idle)), expected=expected, actual=actual, evidence=few)
        reason = tr("No device got too many.", "沒有設備收到過多請求。", "没有设备收到过多请求。")
        return passed(reason, expected=expected, actual=actual, evidence=busiest[worst])
