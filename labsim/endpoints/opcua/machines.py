"""State machines made of a tag with labels (OPC 10000-16 §4.4): CurrentState says what the tag says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.building import add_object, add_object_type, add_property, add_variable
from labsim.endpoints.opcua.core.codec import datetime_of
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.status import S, is_bad
from labsim.endpoints.opcua.core.values import DataValue
from labsim.endpoints.opcua.data_types import identifier
from labsim.endpoints.opcua.namespaces import Namespaces
from labsim.endpoints.opcua.seat import Seat
from labsim.endpoints.opcua.variables import OPTIONAL, declare
from labsim.plant.companion import split_name
from labsim.plant.companion_states import Command, Machine, State, Transition, machines_of
from labsim.plant.tags import Tag
from labsim.text import Text

VT = ua.VariantType
_FINITE_STATE_MACHINE, _STATE, _TRANSITION = 2771, 2307, 2310
_CURRENT_STATE, _LAST_TRANSITION = 2760, 2767
_FROM_STATE, _TO_STATE = 51, 52
_LOCALIZED_TEXT, _NODE_ID, _UINT32, _UTC = 21, 17, 7, 294
_NUMBER_OF = {_STATE: "StateNumber", _TRANSITION: "TransitionNumber"}
Called = Callable[[tuple[int, str], tuple[int, str], Key, str, Command], None]
"""Adds a method: its node, its browse name, the machine, and the command by name."""


@dataclass(frozen=True, slots=True)
class _Type:
    """A type as it stands in a space: nodes of its states by number, and of its transitions by both ends."""

    key: Key
    machine: Machine
    states: Mapping[int, Key]
    transitions: Mapping[tuple[int, int], tuple[Transition, Key]]


class MachineNodes:
    """Builds the state machine of one place of an interface.

    Args:
        space: Where.
        namespaces: For the indexes of companion specifications.
        own: Index of the device's own namespace.
        tag: The tag whose labels are the states.
        type_: Name of the type.
        key_of: The present key of a node, which may be given another one after it was built.
    """

    def __init__(
        self, space: Space, namespaces: Namespaces, own: int, tag: Tag, type_: str, key_of: Callable[[Key], Key]
    ) -> None:
        self._space, self._namespaces, self._own, self._tag = space, namespaces, own, tag
        self._type_name, self._key_of = type_, key_of
        self._companion = machines_of(type_)

    def add(
        self,
        key: tuple[int, str],
        name: tuple[int, str],
        parent: Key,
        *,
        history: bool,
        live: bool,
        called: Called,
        shown: Callable[[tuple[int, str]], None],
    ) -> list[tuple[int, str]]:
        """Add the machine and those in it; their nodes from the outside.

        Args:
            key: Node of the outermost machine; what is in it is below.
            name: Its browse name.
            parent: The object it belongs to.
            history: Recorded values tell the last transition.
            live: It shows the tag; otherwise it is an instance declaration.
            called: Adds a command's method.
            shown: Is told each variable that shows the tag.
        """
        outer, made = self._companion or [self._own_machine()], []
        type_name = self._type_name
        for depth, machine in enumerate(outer):
            type_ = self._type(type_name, machine)
            node = add_object(self._space, key, name, parent, type_=type_.key)
            made.append(key)
            if not live:
                declare(node)
            within = {number for one in outer[depth + 1 :] for number in one.states}
            values = _Values(self._tag, type_, within, self._key_of) if live else None
            self._variables(key, type_, values, history, shown)
            for command, spec in machine.commands.items():
                called(key, (self._index(type_name), command), type_.key, command, spec)
            if machine.inner is None:
                break
            inner, inner_type = machine.inner
            name, parent, key = (self._index(type_name), inner), key, (key[0], f"{key[1]}/{inner}")
            type_name = inner_type
        return made

    def _index(self, type_name: str) -> int:
        prefix = split_name(type_name)[0]
        return self._namespaces.companion(prefix) if prefix else self._own

    def _own_machine(self) -> Machine:
        """A type of the device's own: every label is a state, and any may follow any other."""
        states = {number: State(identifier(text), 0, Text(text)) for number, text in sorted(self._tag.labels.items())}
        return Machine(0, states)

    # ---- the type ----

    def _type(self, name: str, machine: Machine) -> _Type:
        """The type with its states and transitions (OPC 10000-16 §4.4.6, §4.4.9, §4.4.11)."""
        plain, index = split_name(name)[1], self._index(name)
        key: Key = (index, machine.number or plain)

        def child(node: int, called: str) -> Key:
            return (index, node or f"{plain}/{called}")

        states = {number: child(state.node, state.name) for number, state in machine.states.items()}
        ways = {(way.source, way.target): (way, child(way.node, way.name)) for way in machine.transitions}
        found = _Type(key, machine, states, ways)
        if self._space.get(key) is None:
            add_object_type(self._space, key, (index, plain), _FINITE_STATE_MACHINE)
        if states and self._space.get(next(iter(states.values()))) is None:
            for number, state in machine.states.items():
                self._part(key, states[number], (index, state.name), _STATE, state.title, number)
            for way, node in ways.values():
                self._part(key, node, (index, way.name), _TRANSITION, None, way.number)
                self._space.edit(node).references += (
                    (_FROM_STATE, True, states[way.source]), (_TO_STATE, True, states[way.target]),
                )  # fmt: skip
        return found

    def _part(self, type_: Key, key: Key, name: tuple[int, str], kind: int, title: Text | None, number: int) -> None:
        add_object(self._space, key, name, type_, title, type_=kind)
        assert isinstance(key, tuple)
        child: Key = (key[0], f"{_plain(type_)}/{name[1]}/{_NUMBER_OF[kind]}")
        variant = ua.Variant(number, VT.UInt32)
        declare(add_property(self._space, child, (0, _NUMBER_OF[kind]), key, _UINT32, variant))

    # ---- the machine itself ----

    def _variables(
        self,
        key: tuple[int, str],
        type_: _Type,
        values: _Values | None,
        history: bool,
        shown: Callable[[tuple[int, str]], None],
    ) -> None:
        nodes: list[tuple[str, int, int, Any]] = [
            ("CurrentState", _LOCALIZED_TEXT, _CURRENT_STATE, values.text if values else None)
        ]
        properties = {
            "CurrentState": [
                ("Id", _NODE_ID, values.id if values else None), ("Number", _UINT32, values.number if values else None)
            ]
        }  # fmt: skip
        if history and type_.transitions:
            nodes.append(("LastTransition", _LOCALIZED_TEXT, _LAST_TRANSITION, values.way_text if values else None))
            properties["LastTransition"] = [
                ("Id", _NODE_ID, values.way_id if values else None),
                ("Number", _UINT32, values.way_number if values else None),
                ("TransitionTime", _UTC, values.way_time if values else None),
            ]
        for name, data_type, kind, value in nodes:
            child = (key[0], f"{key[1]}/{name}")
            node = add_variable(self._space, child, (0, name), key, data_type, value=value, type_=kind)
            shown(child)
            if values is None:
                declare(node, OPTIONAL if name == "LastTransition" else 78)
            for browse, its_type, content in properties[name]:
                below = (key[0], f"{child[1]}/{browse}")
                property_ = add_property(self._space, below, (0, browse), child, its_type, content)
                shown(below)
                if values is None:
                    declare(property_)
        available: tuple[tuple[str, Any], ...] = (
            ("AvailableStates", values.states if values else None),
            ("AvailableTransitions", values.ways if values else None),
        )
        for name, content in available:
            if name == "AvailableTransitions" and not type_.transitions:
                continue
            below = (key[0], f"{key[1]}/{name}")
            node = add_variable(self._space, below, (0, name), key, _NODE_ID, value=content, rank=1)
            if values is None:
                declare(node)


def _plain(key: Key) -> str:
    return str(key[1] if isinstance(key, tuple) else key)


class _Values:
    """What the variables of one machine say; ``within`` are the states of the machines in it."""

    def __init__(self, tag: Tag, type_: _Type, within: set[int], key_of: Callable[[Key], Key]) -> None:
        self._tag, self._type, self._within, self._key_of = tag, type_, within, key_of

    def _state(self, number: int) -> int | None:
        """The state of this machine while the tag says ``number``: its own, or the one that holds the machine in it."""
        if number in self._type.machine.states:
            return number
        return self._type.machine.inner_state if number in self._within else None

    def _now(self, seat: Seat) -> int | None:
        return self._state(int(seat.read(self._tag.row)))

    def _data(self, seat: Seat, make: Callable[[int], Any]) -> DataValue:
        """A value of the present state; BadStateNotActive in a machine that is in none (OPC 10000-16 §4.4.20)."""
        rows = [self._tag.row]
        status, source = seat.status(rows), seat.source_time(rows)
        number = self._now(seat)
        if is_bad(status) or number is None:
            return DataValue(None, status if is_bad(status) else int(S.BadStateNotActive), source)
        return DataValue(make(number), status, source)

    def text(self, locales: Locales, seat: Seat) -> DataValue:
        """CurrentState."""

        def make(number: int) -> Any:
            title = self._tag.labels.get(number, self._type.machine.states[number].title)
            return ua.Variant(localize(title, locales), VT.LocalizedText)

        return self._data(seat, make)

    def id(self, _locales: Locales, seat: Seat) -> DataValue:
        """CurrentState/Id: the node of the state in the type."""
        return self._data(seat, lambda number: ua.Variant(self._node(self._type.states[number]), VT.NodeId))

    def number(self, _locales: Locales, seat: Seat) -> DataValue:
        """CurrentState/Number."""
        return self._data(seat, lambda number: ua.Variant(number, VT.UInt32))

    def states(self, _locales: Locales, _seat: Seat) -> Any:
        """AvailableStates: those that the tag can say, and what holds them."""
        labels = self._tag.labels
        states = [self._state(number) for number in sorted(labels)]
        there = dict.fromkeys(number for number in states if number is not None)
        return ua.Variant([self._node(self._type.states[one]) for one in there], VT.NodeId, is_array=True)

    def ways(self, _locales: Locales, seat: Seat) -> Any:
        """AvailableTransitions: those that lead out of the present state."""
        number = self._now(seat)
        found = [self._node(key) for (source, _), (_, key) in self._type.transitions.items() if source == number]
        return ua.Variant(found, VT.NodeId, is_array=True)

    def _node(self, key: Key) -> Any:
        return node_id(self._key_of(key))

    # ---- the last transition, as the history tells it ----

    def _way(self, seat: Seat, make: Callable[[Transition, Key, int], Any]) -> DataValue:
        """A value of the last transition; Null before the first one."""
        found = self._last(seat)
        if found is None:
            return DataValue(ua.Variant(), 0, seat.source_time([self._tag.row]))
        (way, key), moment = found
        return DataValue(make(way, key, moment), 0, moment)

    def _last(self, seat: Seat) -> tuple[tuple[Transition, Key], int] | None:
        if seat.history is None:
            return None
        series = seat.history.whole(self._tag.path)
        states = [self._state(int(one)) for one in series.values]
        for at in range(len(states) - 1, 0, -1):
            before, after = states[at - 1], states[at]
            if before is None or after is None or before == after:
                continue
            way = self._type.transitions.get((before, after))
            moment = int(series.times_ns[at]) // 100 + seat.origin
            return (way, moment) if way is not None else None
        return None

    def way_text(self, locales: Locales, seat: Seat) -> DataValue:
        """LastTransition."""
        del locales  # a transition has its name alone
        return self._way(seat, lambda way, _key, _at: ua.Variant(ua.LocalizedText(way.name, "en"), VT.LocalizedText))

    def way_id(self, _locales: Locales, seat: Seat) -> DataValue:
        """LastTransition/Id."""
        return self._way(seat, lambda _way, key, _at: ua.Variant(self._node(key), VT.NodeId))

    def way_number(self, _locales: Locales, seat: Seat) -> DataValue:
        """LastTransition/Number."""
        return self._way(seat, lambda way, _key, _at: ua.Variant(way.number, VT.UInt32))

    def way_time(self, _locales: Locales, seat: Seat) -> DataValue:
        """LastTransition/TransitionTime."""
        return self._way(seat, lambda _way, _key, at: ua.Variant(datetime_of(at), VT.DateTime))
