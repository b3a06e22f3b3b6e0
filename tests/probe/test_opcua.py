"""The OPC UA client against a server that is not ours."""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua, uamethod
from asyncua.ua import ua_binary
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import InputError
from labsim.probe.access import Access
from labsim.probe.error import ProbeError
from labsim.probe.identity import own_identity
from labsim.probe.opcua import OpcuaProbe
from labsim.probe.target import OPCUA, Target, parse_target
from labsim.probe.variant import VT, parse_variant, plain_value, shown_value, type_named


@uamethod
def _sum(_parent: Any, numbers: list[int], twice: bool) -> tuple[int, str]:
    return sum(numbers) * (1 + twice), "done"


class StockServer:
    """A stock asyncua server on a loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.target: Target = self.run(self._start())

    def run(self, work: Any) -> Any:
        """Run a coroutine there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def _start(self) -> Target:
        self.server = Server()
        await self.server.init()
        self.server.set_endpoint("opc.tcp://127.0.0.1:0")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        ns = await self.server.register_namespace("urn:test")
        press = await self.server.nodes.objects.add_object(ns, "Press")
        for name, value, kind in (
            ("Force", 1.5, VT.Double), ("Count", 3, VT.UInt16), ("Name", "a", VT.String), ("On", False, VT.Boolean),
            ("Profile", [1.0, 2.0], VT.Float), ("Label", ua.LocalizedText("x"), VT.LocalizedText),
            ("Since", datetime.datetime(2026, 1, 31), VT.DateTime),
        ):  # fmt: skip
            node = await press.add_variable(ua.NodeId(f"press.{name}", ns), f"{ns}:{name}", ua.Variant(value, kind))
            await node.set_writable()
        numbers = ua.Argument("Numbers", ua.NodeId(VT.Int32.value), 1)
        twice = ua.Argument("Twice", ua.NodeId(VT.Boolean.value))
        total = ua.Argument("Total", ua.NodeId(VT.Int64.value))
        words = ua.Argument("Words", ua.NodeId(VT.String.value))
        await press.add_method(ns, "Sum", _sum, [numbers, twice], [total, words])
        await self.server.start()
        port = self.server.bserver._server.sockets[0].getsockname()[1]
        return parse_target(f"127.0.0.1:{port}", OPCUA)

    def stop(self) -> None:
        """End the server and its loop."""
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def stock() -> Iterator[StockServer]:
    """A server with a press."""
    running = StockServer()
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("Force", "-2.5", -2.5), ("Count", "0x10", 16), ("Name", "ein Text", "ein Text"), ("On", "on", True),
        ("Profile", "[3, 4.5]", [3.0, 4.5]), ("Label", "neu", "neu"),
        ("Since", "2026-02-01T08:00:00+08:00", "2026-02-01T00:00:00.000Z"),
    ],
)  # fmt: skip
def test_a_write_takes_the_type_of_its_node(stock: StockServer, name: str, typed: str, value: object) -> None:
    """What was typed arrives as the built-in type that the variable has, arrays as arrays."""
    with OpcuaProbe(stock.target) as probe:
        probe.write(f"Press/{name}", typed)
        (found,) = probe.read([f"Press/{name}"])
    assert plain_value(found.Value) == value


def test_a_value_out_of_range_never_leaves(stock: StockServer) -> None:
    """The range of the type is said; a server's refusal is named."""
    with OpcuaProbe(stock.target) as probe:
        with pytest.raises(InputError, match="0 to 65535"):
            probe.write("Press/Count", "70000")
        with pytest.raises(ProbeError, match="BadTypeMismatch"):
            probe.write("Press/Count", "1", "Double")


def test_a_call_by_path_and_by_id(stock: StockServer) -> None:
    """Arguments become what the method declares; outputs have the names it declares."""
    with OpcuaProbe(stock.target) as probe:
        found = probe.call("Press/Sum", ["[1, 2, 3]", "true"])
        assert {name: plain_value(value) for name, value in found} == {"Total": 12, "Words": "done"}
        node = probe.node_id("Press/Sum")
        assert probe.call(node, ["[4]", "off"])[0][1].Value == 4
        with pytest.raises(InputError, match=r"Numbers \(Int32\[\]\), Twice \(Boolean\)"):
            probe.call(node, [])


def test_browse_goes_as_deep_as_asked(stock: StockServer) -> None:
    """One level, then two."""
    with OpcuaProbe(stock.target) as probe:
        (press,) = [one for one in probe.browse("i=85", 1).below if one.name.endswith(":Press")]
        assert press.below == []
        below = probe.browse("Press", 1).below
    assert {"Force", "Sum"} <= {one.name.partition(":")[2] for one in below}
    assert {one.cls for one in below} == {"Variable", "Method"}


def test_watch_reports_each_change(stock: StockServer) -> None:
    """A change on the server comes as the next value."""
    with OpcuaProbe(stock.target) as probe:
        values = probe.watch(["nsu=urn:test;s=press.Force"], 50, until=time.monotonic() + 20)
        next(values)
        node = stock.server.get_node(f"ns={stock.run(stock.server.get_namespace_index('urn:test'))};s=press.Force")
        stock.run(node.write_value(77.0))
        assert next(values)[1].Value.Value == 77.0


def test_events_have_their_fields_by_name(stock: StockServer) -> None:
    """Message, severity and source of an event of the server."""
    generator = stock.run(stock.server.get_event_generator())
    with OpcuaProbe(stock.target) as probe:
        events = probe.events("i=2253", until=time.monotonic() + 20)
        triggered = threading.Timer(0.3, lambda: stock.run(generator.trigger(message="hello")))
        triggered.start()
        event = next(events)
        triggered.join()
    assert event["Message"] == "hello"
    assert isinstance(event["Severity"], int)
    assert "ActiveState" not in event


def test_a_password_is_not_shown_to_listeners(stock: StockServer) -> None:
    """Where nothing would encrypt it, it is not sent unless it is asked for."""
    target = Target("opc.tcp", stock.target.host, stock.target.port, "operator", "secret")
    with pytest.raises(ProbeError, match="unencrypted"), OpcuaProbe(target):
        pass


def test_a_policy_that_is_not_offered_is_named(stock: StockServer, tmp_path: Path) -> None:
    """Instead of a connection that is less than was asked for."""
    access = Access("best", pki=tmp_path)
    with pytest.raises(ProbeError, match="does not offer best"), OpcuaProbe(stock.target, access):
        pass


def test_an_identity_is_made_once_and_made_anew_when_it_is_spoilt(tmp_path: Path) -> None:
    """The same files serve until they are no use; what cannot be read is told, not overwritten."""
    first = own_identity(tmp_path)
    data = first.certificate.read_bytes()
    assert own_identity(tmp_path).certificate.read_bytes() == data
    first.certificate.unlink()
    assert own_identity(tmp_path).certificate.read_bytes() != data
    first.certificate.write_bytes(b"nonsense")
    with pytest.raises(ProbeError, match="cannot hold our certificate"):
        own_identity(tmp_path)


@given(st.sampled_from(list(VT)), st.text(max_size=30), st.booleans())
def test_whatever_is_typed_is_a_value_or_one_sentence(kind: VT, text: str, array: bool) -> None:
    """No other exception, and what was understood can be shown."""
    try:
        variant = parse_variant(text, kind, array=array)
    except InputError:
        return
    assert isinstance(shown_value(variant), str)


def test_types_by_name() -> None:
    """In any case of letters; a wrong name gets the nearest."""
    assert type_named("uint16") is VT.UInt16
    with pytest.raises(InputError, match="Double"):
        type_named("Doubel")


def test_a_structure_is_read_by_its_definition(stock: StockServer) -> None:
    """What the client has never seen is asked for once; its fields are shown by name."""

    async def add() -> str:
        from asyncua.common.structures104 import new_struct, new_struct_field

        index = await stock.server.get_namespace_index("urn:test")
        fields = [new_struct_field("Speed", VT.Double), new_struct_field("Name", VT.String)]
        await new_struct(stock.server, index, "ProbedTool", fields)
        await stock.server.load_data_type_definitions()
        node = await stock.server.nodes.objects.add_variable(
            ua.NodeId("press.Tool", index),
            f"{index}:Tool",
            ua.Variant(ua.ProbedTool(12.5, "drill"), VT.ExtensionObject),
        )
        return str(node.nodeid.to_string())

    name = stock.run(add())
    (encoding,) = [key for key, cls in ua.extension_objects_by_typeid.items() if cls.__name__ == "ProbedTool"]
    raw = ua.ExtensionObject(encoding, ua_binary.struct_to_binary(ua.ProbedTool(12.5, "drill")))
    with OpcuaProbe(stock.target) as probe:
        (value,) = probe.read([name])
    assert plain_value(value.Value) == {"Speed": 12.5, "Name": "drill"}
    assert plain_value(raw) == {"Speed": 12.5, "Name": "drill"}
    assert plain_value(ua.ExtensionObject(ua.NodeId(7, 77), b"\1")) == {"type": "ns=77;i=7", "body": "01"}
