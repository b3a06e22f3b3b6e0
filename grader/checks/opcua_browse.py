"""Check of browsing over OPC UA."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.outcome import Outcome, failed, passed
from grader.server import ServerCheck, ServerParams
from grader.words import clock
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.scenario.fields import DevicePath
from labsim.text import tr


class BrowsedParams(ServerParams):
    """Parameters of `Browsed`."""

    device: DevicePath = Field(description="The device whose nodes must be browsed.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How many different nodes of it must be browsed.")
    user: str | None = Field(None, description="Only requests of this user count; an empty text means anonymous.")


class Browsed(ServerCheck[BrowsedParams]):
    """A client has browsed the nodes of a device over OPC UA instead of guessing them.

    A node counts once, when a Browse, a BrowseNext or a TranslateBrowsePathsToNodeIds began at it and was answered. Folders
    above the device do not count.

    Example::

        opcua.browsed: {device: mill1, at_least: 3, marks: 1}
    """

    name = "opcua.browsed"
    sentence = tr("{p.device} is browsed over OPC UA", "通過 OPC UA 瀏覽 {p.device}", "通过 OPC UA 浏览 {p.device}")
    Params = BrowsedParams

    def judge_here(self, evidence: Evidence, params: BrowsedParams) -> Outcome:
        """Count the nodes of the device at which browsing began."""
        every = [r for r in evidence.of("opcua", "browse") if r.status == 0]
        mine = [r for r in every if params.user is None or r.user == params.user]
        found: dict[str, Record] = {}
        for record in mine:
            for node in _nodes_of(record, params.device):
                found.setdefault(node, record)
        expected, rows = f"≥ {params.at_least}", list({r.seq: r for r in found.values()}.values())
        if len(found) >= params.at_least:
            last = list(found.values())[params.at_least - 1]
            reason = tr(
                "Nodes browsed by {time}: {n}.", "截至 {time} 已瀏覽 {n} 個節點。", "截至 {time} 已浏览 {n} 个节点。"
            ).format(time=clock(evidence, last.t), n=params.at_least)
            return passed(reason, expected=expected, actual=str(len(found)), evidence=rows)
        reason = tr(
            "Nodes of {device} that were browsed: {n} of {least} (browse requests in all: {all}).",
            "{device} 被瀏覽的節點：{n} 個，需要 {least} 個（瀏覽請求共 {all} 次）。",
            "{device} 被浏览的节点：{n} 个，需要 {least} 个（浏览请求共 {all} 次）。",
        ).format(device=params.device, n=len(found), least=params.at_least, all=len(every))
        advice = tr(
            "Browse from the Objects folder down into the device; every level is a request of its own.",
            "從 Objects 文件夾開始逐層瀏覽到設備內部；每一層都是一個單獨的請求。",
            "从 Objects 文件夹开始逐层浏览到设备内部；每一层都是一个单独的请求。",
        )
        return failed(reason, expected=expected, actual=str(len(found)), evidence=rows or mine, help=advice)


def _nodes_of(record: Record, device: str) -> list[str]:
    """The nodes of one device among those that a request began at, which may belong to several."""
    nodes: list[str] = record.detail.get("nodes", [])
    if record.device:
        return nodes if record.device == device else []
    owners: list[str] = record.detail.get("devices", [])
    return [node for node, owner in zip(nodes, owners, strict=False) if owner == device]
