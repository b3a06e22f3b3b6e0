"""The evidence timeline as a picture: a lane per client and protocol, faults as bands, what the trainee asked of the lab."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from labsim.evidence.event import Record
from labsim.report import svg, words
from labsim.report.axis import Scale, elapsed, time_ticks
from labsim.report.lanes import Band, Lane

WIDTH, GUTTER, LANE, BINS, LANES_MAX = 960, 196, 40, 240, 40
_NAMES = {"opcua": "OPC UA", "modbus": "Modbus", "mqtt": "MQTT", "http": "HTTP", "ntp": "NTP"}
_SIGNS = {"check": "✓", "hint": "?", "answer": "✎", "setting": "⚙", "file": "▤", "incident": "!", "submit": "■"}


def timeline(lanes: Sequence[Lane], bands: Sequence[Band], marks: Sequence[Record], end_ns: int, lang: str) -> str:
    """The picture as SVG.

    Args:
        lanes: What clients did; after `LANES_MAX` the rest is counted only.
        bands: Faults that may be shown.
        marks: Records of the lab.
        end_ns: Where plant time ends.
        lang: Language of its words.
    """
    shown = lanes[:LANES_MAX]
    top = 10 + 18 * len(bands)
    bottom = top + LANE * (len(shown) + 1)
    height = bottom + 26 + (16 if len(lanes) > len(shown) else 0)
    root = svg.picture(WIDTH, height, "timeline", words.word("timeline", lang), words.word("timeline.help", lang))
    x = Scale(0, max(end_ns, 1_000_000_000), GUTTER, WIDTH - 12)
    for index, band in enumerate(bands):
        _band(root, x, band, 10 + 18 * index, top, bottom, lang)
    for t in time_ticks(0, end_ns):
        svg.add(root, "line", "grid", x1=x(t), x2=x(t), y1=top, y2=bottom)
        svg.text(root, "label", x(t), bottom + 16, elapsed(t), text_anchor="middle")
    for index, lane in enumerate(shown):
        _lane(root, x, lane, top + LANE * index, lang)
    _lab(root, x, marks, top + LANE * len(shown), lang)
    if len(lanes) > len(shown):
        svg.text(root, "label", 4, height - 4, words.word("lane.more", lang, n=len(lanes) - len(shown)))
    return svg.markup(root)


def _band(root: svg.Node, x: Scale, band: Band, y: float, top: float, bottom: float, lang: str) -> None:
    left, width = x(band.start), max(x(band.end) - x(band.start), 2.0)
    said = f"{band.target}: {band.fault.removeprefix('link.')}"
    tip = f"{said}, {elapsed(band.start)}–{elapsed(band.end)}"
    if band.hidden:
        tip += f" ({words.word('fault.hidden', lang)})"
    svg.add(root, "rect", "band", tip=tip, x=left, y=top, width=width, height=bottom - top)
    svg.add(root, "rect", "bandhead", tip=tip, x=left, y=y, width=width, height=12)
    svg.text(root, "label name", 4, y + 10, _short(said, 30))


def _lane(root: svg.Node, x: Scale, lane: Lane, y: float, lang: str) -> None:
    base = y + LANE - 8
    counts = words.word(
        "lane.events",
        lang,
        n=len(lane.requests) + len(lane.writes) + len(lane.errors),
        writes=len(lane.writes),
        errors=len(lane.errors),
    )
    svg.add(root, "line", "rule", x1=0, x2=WIDTH, y1=y + LANE, y2=y + LANE)
    name = svg.text(root, "label name", 4, y + 16, f"{_NAMES[lane.protocol]} · {_short(lane.client, 20)}")
    svg.add(name, "title", "").text = f"{lane.client}: {counts}"
    svg.text(root, "label dim", 4, y + 31, counts)
    for start, end in lane.spans:
        svg.add(
            root, "rect", f"span {lane.protocol}", x=x(start), y=base + 2, width=max(x(end) - x(start), 1), height=3
        )
    requests = _binned(lane.requests, x)
    most = max(requests.values(), default=1)
    for at, n in sorted(requests.items()):
        tall = round(4 + 16 * math.log1p(n) / math.log1p(most), 1)
        svg.add(root, "rect", f"bar {lane.protocol}", tip=str(n), x=at, y=base - tall, width=2.4, height=tall)
    for at, n in sorted(_binned(lane.writes, x).items()):
        tip = f"{words.kind('write', lang)}: {n}"
        svg.add(root, "path", f"write {lane.protocol}", tip=tip, d=f"M{at - 2.4:.1f} {y + 11}h6l-3 -6z")
    for at, n in sorted(_binned(lane.errors, x).items()):
        svg.cross(root, "cross", at + 1, y + 20, 3, str(n))


def _lab(root: svg.Node, x: Scale, marks: Sequence[Record], y: float, lang: str) -> None:
    svg.text(root, "label name", 4, y + 24, words.word("lane.lab", lang))
    for record in marks:
        if record.kind == "host-start":
            if record.t > 0:
                svg.add(root, "line", "restart", x1=x(record.t), x2=x(record.t), y1=y, y2=y + LANE)
            continue
        about = record.detail.get("task") or record.subject or record.device or record.detail.get("reason", "")
        tip = f"{words.kind(record.kind, lang)} {about} {elapsed(record.t)}"
        css = "sign bad" if record.kind == "incident" else "sign"
        node = svg.text(root, css, x(record.t), y + 25, _SIGNS[record.kind], text_anchor="middle")
        svg.add(node, "title", "").text = tip


def _binned(times: Sequence[int], x: Scale) -> Counter[float]:
    """How many of the times fall into each of `BINS` columns, by the pixel where it begins."""
    width = (x.end - x.start) / BINS
    bins = Counter(min(int((x(t) - x.start) / width), BINS - 1) for t in times)
    return Counter({round(x.start + index * width, 1): count for index, count in bins.items()})


def _short(text: str, most: int) -> str:
    """A name that is too long keeps its end, where URNs and topics differ."""
    return text if len(text) <= most else f"…{text[1 - most :]}"
