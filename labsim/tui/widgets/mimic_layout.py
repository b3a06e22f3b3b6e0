"""The plant's picture as lines of text: stations as boxes in the order of what flows, flows as arrows with how full they are.

Stations stand in layers, each to the right of what it gets its parts from (of whatever flows, where nothing makes parts); layers
that do not fit side by side go on in a band below. A flow between neighbours is an arrow; every other one is a line in the box
that it leaves, so that none is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from textual.content import Content

from labsim.client.picture import FlowInfo, Mimic, Station, StationValue
from labsim.tui.widgets.gutter import GUTTER, Gutter
from labsim.tui.words import WORDS, say
from labsim.tui.wrap import clean, wrap

NARROWEST = 22
WIDEST = 40
MOST_VALUES = 3
_BAR = 6


@dataclass(slots=True)
class Box:
    """A station with the flows that its box has to name, and what it looks like."""

    station: Station
    named: list[FlowInfo] = field(default_factory=list)
    lines: list[Content] = field(default_factory=list)


def mimic_lines(mimic: Mimic, lang: str, width: int) -> list[Content]:
    """The picture in a language, at most ``width`` cells wide."""
    fit = max(1, (width + GUTTER) // (NARROWEST + GUTTER))
    boxes = {station.device: Box(station) for station in mimic.stations}
    flows = [flow for flow in mimic.flows if _ends(flow)[0] in boxes and _ends(flow)[1] in boxes]
    moving = [flow for flow in flows if flow.carries == "parts"] or flows
    joined = dict.fromkeys(name for name in boxes if any(name in _ends(flow) for flow in moving))
    columns = layers(list(joined), [_ends(flow) for flow in moving])
    alone = [box for name, box in boxes.items() if name not in joined]
    across = min(fit, max(len(columns), min(len(alone), fit), 1))
    room = min(WIDEST, (width - (across - 1) * GUTTER) // across)
    if room < 8:
        return []

    bands = [columns[at : at + across] for at in range(0, len(columns), across)]
    place = {
        name: (n, x, y)
        for n, band in enumerate(bands)
        for x, column in enumerate(band)
        for y, name in enumerate(column)
    }
    arrows = [flow for flow in moving if _adjacent(place[_ends(flow)[0]], place[_ends(flow)[1]])]
    for flow in flows:
        if flow not in arrows:
            boxes[_ends(flow)[0]].named.append(flow)

    found: list[Content] = []
    for n, band in enumerate(bands):
        inside = [flow for flow in arrows if place[_ends(flow)[0]][0] == n]
        found += _band([[boxes[name] for name in column] for column in band], inside, room, lang)
    for at in range(0, len(alone), across):
        found += _band([[box] for box in alone[at : at + across]], [], room, lang)
    return found


def layers(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Names in layers, so that an edge leads to a later one; edges that close a circle are passed over.

    Within a layer those come first whose givers do.
    """
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in dict.fromkeys(edges):
        if source != target:
            after[source].append(target)
    state: dict[str, bool] = {}  # False while it is being visited, True when it is done
    forward: list[tuple[str, str]] = []
    order: list[str] = []
    for root in names:
        walk: list[tuple[str, Iterator[str]]] = []
        if root not in state:
            state[root] = False
            walk.append((root, iter(after[root])))
        while walk:
            name, rest = walk[-1]
            target = next(rest, "")
            if not target:
                state[name] = True
                order.append(name)
                walk.pop()
            elif state.get(target) is not False:
                forward.append((name, target))
                if target not in state:
                    state[target] = False
                    walk.append((target, iter(after[target])))
    depth = dict.fromkeys(names, 0)
    for name in reversed(order):
        for source, target in forward:
            if source == name:
                depth[target] = max(depth[target], depth[name] + 1)
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    row: dict[str, int] = {}
    for layer, column in enumerate(found):
        members = [name for name in names if depth[name] == layer]
        givers = {
            name: [row[source] for source, target in forward if target == name and source in row] for name in members
        }
        column += sorted(members, key=lambda name: min(givers[name], default=len(names)))
        row.update({name: y for y, name in enumerate(column)})
    return found


def _ends(flow: FlowInfo) -> tuple[str, str]:
    return flow.source.rpartition(".")[0], flow.target.rpartition(".")[0]


def _adjacent(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) == 1


def _band(columns: list[list[Box]], arrows: list[FlowInfo], room: int, lang: str) -> list[Content]:
    """Columns of boxes with arrows between them; boxes of one row are as high as the highest of them."""
    at = {box.station.device: (x, y) for x, column in enumerate(columns) for y, box in enumerate(column)}
    tops, top = [], 0
    for y in range(max(map(len, columns))):
        row = [column[y] for column in columns if y < len(column)]
        ports = max(sum(box.station.device in _ends(flow) for flow in arrows) for box in row)
        bodies = [_body(box, room - 4, lang) for box in row]
        height = max(ports, *map(len, bodies))
        for box, body in zip(row, bodies, strict=True):
            box.lines = _frame(box.station, body, height, room)
        tops.append(top)
        top += height + 2
    gutters = [Gutter(top) for _ in columns[1:]]
    for flow in arrows:
        (source, target), figure = _ends(flow), _figure(flow)
        (x1, y1), (x2, y2) = at[source], at[target]
        if x1 < x2:
            gutters[x1].forward(tops[y1], tops[y2], figure)
        else:
            gutters[x2].backward(tops[y2], tops[y1], figure)
    stacks = [[line for box in column for line in box.lines] for column in columns]
    empty = Content(" " * room)
    lines = []
    for y in range(top):
        parts = [stack[y] if y < len(stack) else empty for stack in stacks]
        for n, gutter in reversed(list(enumerate(gutters, 1))):
            parts.insert(n, gutter.line(y))
        lines.append(Content("").join(parts))
    return lines


def _frame(station: Station, body: list[Content], height: int, room: int) -> list[Content]:
    name = Content.styled(f" {clean(station.device)} ", "bold").truncate(room - 4, ellipsis=True)
    edge = "$error" if any(alarm.severity >= 700 for alarm in station.alarms) else "$border-blurred"
    head = Content.assemble(("╭─", edge), name, ("─" * (room - 3 - name.cell_length) + "╮", edge))
    rows = [*body, *[Content("")] * (height - len(body))]
    sides = [Content.assemble(("│ ", edge), row, " " * (room - 4 - row.cell_length), (" │", edge)) for row in rows]
    return [head, *sides, Content.styled("╰" + "─" * (room - 2) + "╯", edge)]


def _body(box: Box, room: int, lang: str) -> list[Content]:
    station = box.station
    rows = [Content.styled(clean(station.title or station.type), "$dim")]
    if station.state is not None:
        rows.append(Content.assemble(("● ", "$primary"), clean(station.state.label)))
    rows += [_value(value, room) for value in station.values[:MOST_VALUES]]
    for alarm in station.alarms:
        colour = "$error" if alarm.severity >= 700 else "$warning"
        rows.append(Content.styled(f"! {clean(alarm.title or alarm.alarm)}", colour))
    rows += _named(box.named, room, lang)
    return [row.truncate(room, ellipsis=True) for row in rows]


def _named(flows: list[FlowInfo], room: int, lang: str) -> Iterator[Content]:
    """Flows that no arrow shows: parts one by one with their level, everything else gathered by what it is."""
    gathered: dict[str, list[str]] = {}
    for flow in flows:
        target = clean(_ends(flow)[1])
        if flow.level is None or not flow.capacity:
            gathered.setdefault(flow.carries, []).append(target)
        else:
            full = round(min(flow.level / flow.capacity, 1) * _BAR)
            bar = [("█" * full, "$primary"), ("░" * (_BAR - full), "$dim")]
            yield Content.assemble(("→ ", "$secondary"), f"{target} ", *bar, f" {_figure(flow)}")
    for carries, targets in gathered.items():
        name = say(f"carries.{carries}", lang) if f"carries.{carries}" in WORDS else clean(carries)
        for line in wrap(f"{name} → {', '.join(targets)}", room):
            yield Content.styled(line, "$secondary")


def _value(value: StationValue, room: int) -> Content:
    good = value.quality.startswith("Good")
    unit = "" if value.unit in ("", "1") else f" {clean(value.unit)}"
    text = "–" if value.value is None else f"{_number(value.value)}{unit}"
    title = Content.styled(clean(value.title or value.tag), "$soft").truncate(
        max(1, room - cell_len(text) - 1), ellipsis=True
    )
    gap = " " * max(1, room - title.cell_length - cell_len(text))
    return Content.assemble(title, gap, (text, "bold" if good else "bold $warning"))


def _number(value: float) -> str:
    """Four figures, and never an exponent where a display would show none."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def _figure(flow: FlowInfo) -> str:
    return "" if flow.level is None or flow.capacity is None else f"{flow.level}/{flow.capacity}"
