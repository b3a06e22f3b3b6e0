"""What asyncua's own server gets wrong in its services, each as one probe against both servers: here it must be right.

The probe on stock asyncua is expected to fail, strictly: when asyncua mends a thing, that is seen here. The holes of its
security are in ``security/test_holes.py``.
"""

from __future__ import annotations

import asyncio
import datetime
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
from asyncua import Client, Server, ua
from asyncua.ua.ua_binary import struct_from_binary

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.nodeset import read_nodeset
from labsim.endpoints.opcua.protection import Protection
from labsim.evidence.history import Series
from labsim.plant.plant import Plant

S = ua.StatusCodes
OURS, STOCK = "labsim", "asyncua"
WRONG = pytest.mark.xfail(
    strict=True,
    raises=(AssertionError, asyncio.TimeoutError, ua.UaError, pytest.fail.Exception, AttributeError),
    reason="wrong in stock asyncua",
)
PATIENCE = {OURS: 30.0, STOCK: 0.4}
"""Seconds in which an answer has to come; that stock asyncua gives none needs no long wait to be believed."""
waiting = [PATIENCE[OURS]]
SETPOINT, ORDER = "ns=2;s=press1.setpoint", "ns=2;s=press1.order"
OVERFLOW = 0x480
LOCKED = "urn:test:locked"
MODEL = f"""<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"><NamespaceUris><Uri>{LOCKED}</Uri></NamespaceUris>
<UAMethod NodeId="ns=1;s=stop" BrowseName="1:Stop" Executable="false"><DisplayName>Stop</DisplayName>
<References><Reference ReferenceType="i=47" IsForward="false">i=85</Reference></References></UAMethod></UANodeSet>"""
ENGINEER, ADMIN = User("engineer", "engineer123", "Engineer"), User("admin", "admin123", "SecurityAdmin")


class Recorded:
    """A history of the setpoint."""

    def whole(self, _path: str) -> Series:
        """Two values, a minute apart."""
        return Series(np.array([0, 60 * 10**9], np.int64), np.array([10.0, 20.0]), np.zeros(2, np.uint32))


HELLO = struct.pack("<4sIIIIIIi", b"HELF", 32, 0, 65535, 65535, 0, 0, 0)


class _Stock(threading.Thread):
    """asyncua's server with two variables of the press, in a thread, because it takes a second to start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ready, self.loop, self.url = threading.Event(), asyncio.new_event_loop(), ""
        self._end = asyncio.Event()

    def run(self) -> None:
        self.loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = Server()
        await server.init()
        server.set_endpoint("opc.tcp://127.0.0.1:0")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace("urn:test:press")
        for name, value in (("setpoint", 50.0), ("order", "A-1")):
            node = await server.nodes.objects.add_variable(ua.NodeId(f"press1.{name}", index), name, value)
            await node.set_writable()
            if name == "order":
                level = ua.DataValue(ua.Variant(0, ua.VariantType.Byte))
                await node.write_attribute(ua.AttributeIds.AccessLevel, level)
            if name == "setpoint":
                await node.add_property(0, "EURange", ua.Range(0.0, 100.0))
        locked = await server.register_namespace(LOCKED)
        method = await server.nodes.objects.add_method(ua.NodeId("stop", locked), f"{locked}:Stop", lambda _parent: [])
        await method.write_attribute(ua.AttributeIds.Executable, ua.DataValue(False))
        alarm = ua.NodeId("stamp1/Alarms/ForceLimit", index)
        kind = server.get_node(ua.ObjectIds.ExclusiveLimitAlarmType)
        await server.nodes.objects.add_object(alarm, f"{index}:ForceLimit", kind.nodeid)
        await server.start()
        await server.historize_node_data_change(server.get_node(SETPOINT))
        self.url = "opc.tcp://{}:{}".format(*server.bserver._server.sockets[0].getsockname()[:2])
        self.ready.set()
        await self._end.wait()
        await server.stop()

    def stop(self) -> None:
        """End it."""
        self.loop.call_soon_threadsafe(self._end.set)
        self.join(10)


@pytest.fixture(scope="module")
def stock() -> Iterator[str]:
    """The URL of a stock server."""
    thread = _Stock()
    thread.start()
    assert thread.ready.wait(30)
    yield thread.url
    thread.stop()


@pytest.fixture
async def url(request: Any, plant: Plant) -> AsyncIterator[str]:
    """The URL of the server that is named."""
    waiting[0] = PATIENCE[request.param]
    if request.param == STOCK:
        yield request.getfixturevalue("stock")
        return
    closed = Protection(rights={"press1.order": {"read": ("Engineer",)}})
    layout = Layout(nodesets=[read_nodeset(MODEL.encode(), "locked.xml")])
    async with OpcuaEndpoint(
        plant, ["press1"], lambda _event: None, anonymous="Operator", users=[ENGINEER, ADMIN], protection=closed,
        layout=layout, history=Recorded(),
    ) as endpoint:  # fmt: skip
        yield endpoint.addresses()[0].url


@pytest.fixture
async def alarm_url(request: Any, stamps: Plant) -> AsyncIterator[str]:
    """The URL of the server that is named, with an alarm; ours waits a second for a channel."""
    waiting[0] = PATIENCE[request.param]
    if request.param == STOCK:
        yield request.getfixturevalue("stock")
        return
    limits = Protection(limits=Limits(channel_within_s=1.0))
    async with OpcuaEndpoint(
        stamps, ["stamp1"], lambda _event: None, anonymous="Operator", protection=limits
    ) as endpoint:
        yield endpoint.addresses()[0].url


both = pytest.mark.parametrize("url", [OURS, pytest.param(STOCK, marks=WRONG)], indirect=True)

both_alarmed = pytest.mark.parametrize("alarm_url", [OURS, pytest.param(STOCK, marks=WRONG)], indirect=True)


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    """A client of it, with the setpoint at 50."""
    async with Client(url, timeout=60) as made:
        await made.get_node(SETPOINT).write_value(50.0)
        yield made


async def ask(client: Client, message: Any, **fields: Any) -> Any:
    """Send a request; its decoded response."""
    for name, value in fields.items():
        setattr(message.Parameters, name, value)
    data = await client.uaclient.protocol.send_request(message)
    return struct_from_binary(getattr(ua, type(message).__name__.replace("Request", "Response")), data)


async def refused(client: Client, message: Any, **fields: Any) -> int:
    """The code with which a request is refused; 0 when it is not."""
    try:
        await ask(client, message, **fields)
    except ua.UaStatusCodeError as error:
        return int(error.code)
    return 0


# ---- clients that go wrong ----

OPENING = b"http://opcfoundation.org/UA/SecurityPolicy#Smoke"
BROKEN = [
    (
        "an_unknown_policy",
        [HELLO, struct.pack("<4sIIi", b"OPNF", 16 + 48 + 16, 0, 48) + OPENING + b"\xff" * 8 + b"\1" * 8],
    ),
    ("a_message_without_channel", [HELLO, struct.pack("<4sIIIII", b"MSGF", 28, 7, 1, 1, 1) + b"\0" * 4]),
    ("a_web_browser", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]),
    ("two_gigabytes", [b"HELF\xff\xff\xff\x7f"]),
]


@both
@pytest.mark.parametrize("pieces", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_a_refused_client_hears_of_it(url: str, pieces: list[bytes]) -> None:
    """Whatever is wrong, an ERR comes at once, never silence (OPC 10000-6 §7.1.5)."""
    host, port = url.removeprefix("opc.tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    heard = b""
    try:
        for piece in pieces:
            writer.write(piece)
        async with asyncio.timeout(waiting[0]):
            while b"ERRF" not in heard:
                data = await reader.read(4096)
                assert data, "closed without a word"
                heard += data
    finally:
        writer.close()


@both_alarmed
@pytest.mark.parametrize("first", [b"", HELLO], ids=["says_nothing", "opens_no_channel"])
async def test_a_silent_client_is_hung_up_on(alarm_url: str, first: bytes) -> None:
    """Whoever connects and does no more gives his place up after a while; stock keeps it for ever, here for 2.5 s."""
    host, port = alarm_url.removeprefix("opc.tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(first)
        async with asyncio.timeout(max(waiting[0], 2.5)):
            while await reader.read(4096):
                pass
    finally:
        writer.close()


# ---- Read, Write, Browse, Call ----


@both
async def test_an_index_range_is_read(client: Client) -> None:
    """A part of an array is what was asked for, not all of it."""
    one = ua.ReadValueId(ua.NodeId(2255), 13, "0:1")
    found = await ask(client, ua.ReadRequest(), NodesToRead=[one], TimestampsToReturn=ua.TimestampsToReturn.Both)
    assert len(found.Results[0].Value.Value) == 2


@both
async def test_only_the_timestamps_that_were_asked_for(client: Client) -> None:
    """Source means no server timestamp."""
    one = ua.ReadValueId(ua.NodeId("press1.setpoint", 2), 13)
    found = await ask(client, ua.ReadRequest(), NodesToRead=[one], TimestampsToReturn=ua.TimestampsToReturn.Source)
    assert found.Results[0].ServerTimestamp is None


@both
async def test_a_written_value_has_a_source_time(client: Client) -> None:
    """A client that sends no time does not take it from the value."""
    value = ua.WriteValue(ua.NodeId("press1.setpoint", 2), 13, None, ua.DataValue(ua.Variant(51.0)))
    await ask(client, ua.WriteRequest(), NodesToWrite=[value])
    assert (await client.get_node(SETPOINT).read_data_value()).SourceTimestamp is not None


@both
@pytest.mark.parametrize("message", [ua.ReadRequest, ua.WriteRequest, ua.BrowseRequest, ua.CallRequest])
async def test_nothing_to_do_is_told(client: Client, message: Any) -> None:
    """An empty list has its own code."""
    assert await refused(client, message()) == S.BadNothingToDo


@both
async def test_a_negative_max_age_is_told(client: Client) -> None:
    """MaxAge has a sense or a code."""
    nodes = [ua.ReadValueId(ua.NodeId(2258), 13)]
    assert await refused(client, ua.ReadRequest(), NodesToRead=nodes, MaxAge=-1.0) == S.BadMaxAgeInvalid


@both
async def test_browse_gives_no_more_than_was_asked_for(client: Client) -> None:
    """RequestedMaxReferencesPerNode is kept, and the rest can be had."""
    one = ua.BrowseDescription()
    one.NodeId, one.ReferenceTypeId, one.IncludeSubtypes = ua.NodeId(2253), ua.NodeId(33), True
    one.BrowseDirection, one.NodeClassMask, one.ResultMask = ua.BrowseDirection.Forward, 0, 63
    found = await ask(client, ua.BrowseRequest(), NodesToBrowse=[one], RequestedMaxReferencesPerNode=2)
    assert len(found.Results[0].References) == 2
    points = [found.Results[0].ContinuationPoint]
    message = ua.BrowseNextRequest()
    rest = await ask(client, message, ContinuationPoints=points, ReleaseContinuationPoints=False)
    assert len(rest.Parameters.Results[0].References) == 2


@both
@pytest.mark.parametrize(
    ("arguments", "code"), [([], S.BadArgumentsMissing), ([1, 2], S.BadTooManyArguments)], ids=["missing", "too_many"]
)
async def test_wrong_arguments_are_told(client: Client, arguments: list[int], code: int) -> None:
    """The count of arguments has its own codes."""
    given = [ua.Variant(one, ua.VariantType.UInt32) for one in arguments]
    calls = [ua.CallMethodRequest(ua.NodeId(2253), ua.NodeId(11492), given)]
    assert (await ask(client, ua.CallRequest(), MethodsToCall=calls)).Results[0].StatusCode.value == code


@both
@pytest.mark.parametrize("number", [2294, 3709, 2735, 2269, 2994], ids=lambda number: f"i={number}")
async def test_what_a_server_says_of_itself_is_there(client: Client, number: int) -> None:
    """EnabledFlag, RedundancySupport, MaxBrowseContinuationPoints, ServerProfileArray and Auditing are not Null."""
    assert await client.get_node(f"i={number}").read_value() is not None


@both
async def test_what_may_not_be_read_is_not(client: Client) -> None:
    """Without the right, or without CurrentRead, there is no value."""
    data = await client.get_node(ORDER).read_data_value(raise_on_bad_status=False)
    assert data.StatusCode.value in (S.BadUserAccessDenied, S.BadNotReadable)


@both
async def test_what_cannot_be_executed_is_not_called(client: Client) -> None:
    """A method whose Executable is False is refused, whoever asks."""
    index = await client.get_namespace_index(LOCKED)
    calls = [ua.CallMethodRequest(ua.NodeId(85), ua.NodeId("stop", index), [])]
    assert (await ask(client, ua.CallRequest(), MethodsToCall=calls)).Results[0].StatusCode.value == S.BadNotExecutable


@both_alarmed
async def test_an_alarm_is_acknowledged_by_the_server(alarm_url: str) -> None:
    """Acknowledge is carried out: with an EventId that never was it has the code for that (OPC 10000-9 §5.7.3)."""
    async with Client(alarm_url, timeout=60) as client:
        given = [ua.Variant(b"never", ua.VariantType.ByteString), ua.Variant(ua.LocalizedText("seen"))]
        calls = [ua.CallMethodRequest(ua.NodeId("stamp1/Alarms/ForceLimit", 2), ua.NodeId(9111), given)]
        answer = await ask(client, ua.CallRequest(), MethodsToCall=calls)
    assert answer.Results[0].StatusCode.value == S.BadEventIdUnknown


@both
async def test_each_user_is_told_what_he_may(client: Client, url: str) -> None:
    """UserAccessLevel is that of the user who asks, not of the node."""
    named = Client(url, timeout=60)
    named.set_user(ENGINEER.name)
    named.set_password(ENGINEER.password)
    async with named:
        levels = [
            (await one.get_node(ORDER).read_attribute(ua.AttributeIds.UserAccessLevel)).Value.Value & 1
            for one in (client, named)
        ]
    assert levels == [0, 1]


@both
async def test_history_at_times_and_processed(client: Client) -> None:
    """ReadAtTime and ReadProcessed give values (OPC 10000-11 §6.5.4, §6.5.5)."""
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    at_time = ua.ReadAtTimeDetails(ReqTimes=[start], UseSimpleBounds=True)
    processed = ua.ReadProcessedDetails(
        StartTime=start, EndTime=start + datetime.timedelta(minutes=1), ProcessingInterval=30_000.0,
        AggregateType=[ua.NodeId(ua.ObjectIds.AggregateFunction_Count)],
    )  # fmt: skip
    processed.AggregateConfiguration.UseServerCapabilitiesDefaults = True
    for details in (at_time, processed):
        one = ua.HistoryReadValueId(ua.NodeId("press1.setpoint", 2))
        one.ContinuationPoint = None
        found = await ask(
            client, ua.HistoryReadRequest(), HistoryReadDetails=details, NodesToRead=[one], ReleaseContinuationPoints=False,
            TimestampsToReturn=ua.TimestampsToReturn.Source,
        )  # fmt: skip
        assert found.Results[0].StatusCode.is_good()
        assert found.Results[0].HistoryData.DataValues


@both
async def test_auditors_hear_of_writes(client: Client, url: str) -> None:
    """What a client writes is told as an AuditWriteUpdateEvent (OPC 10000-5 §6.4.25)."""
    told: asyncio.Queue[Any] = asyncio.Queue()

    class Auditor:
        """Keeps events."""

        def event_notification(self, event: Any) -> None:
            """One event."""
            told.put_nowait(event)

    admin = Client(url, timeout=60)
    admin.set_user(ADMIN.name)
    admin.set_password(ADMIN.password)
    async with admin:
        subscription = await admin.create_subscription(50, Auditor())
        await subscription.subscribe_events(
            admin.nodes.server, [admin.get_node(ua.NodeId(ua.ObjectIds.AuditWriteUpdateEventType))]
        )
        await client.get_node(SETPOINT).write_value(42.0)
        event = await asyncio.wait_for(told.get(), waiting[0])
    assert (event.NewValue, event.OldValue) == (42.0, 50.0)


# ---- subscriptions ----


class Heard:
    """Notifications as they come."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def datachange_notification(self, _node: Any, _value: Any, data: Any) -> None:
        """Keep one."""
        self.queue.put_nowait(data.monitored_item.Value)

    async def next(self) -> tuple[Any, int]:
        """The next value and its status."""
        data = await asyncio.wait_for(self.queue.get(), waiting[0])
        return data.Value.Value, data.StatusCode.value if data.StatusCode else 0


async def watch(client: Client, filter_: Any = None, publishing: float = 100, **fields: Any) -> tuple[Any, Heard, Any]:
    """A subscription with one item on the setpoint: subscription, notifications, result of the item."""
    heard = Heard()
    subscription = await client.create_subscription(publishing, heard)
    request = ua.MonitoredItemCreateRequest(ua.ReadValueId(ua.NodeId("press1.setpoint", 2), 13))
    request.MonitoringMode = ua.MonitoringMode.Reporting
    given = {"ClientHandle": 201, "SamplingInterval": 50.0, "QueueSize": 10, "DiscardOldest": True, "Filter": filter_}
    for name, value in (given | fields).items():
        setattr(request.RequestedParameters, name, value)
    made: list[Any] = []
    send = subscription.server.create_monitored_items

    async def spy(parameters: Any) -> Any:
        made.extend(await send(parameters))
        return made

    subscription.server.create_monitored_items = spy
    await subscription.create_monitored_items([request])
    return subscription, heard, made[0]


async def drift(client: Client, *values: float) -> None:
    """Write one value after another."""
    for value in values:
        await client.get_node(SETPOINT).write_value(value)


@both
async def test_a_slow_drift_is_reported(client: Client) -> None:
    """A deadband counts from the value reported last (OPC 10000-8 §7.2)."""
    _, heard, _ = await watch(client, ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, 1, 5.0))
    assert await heard.next() == (50.0, 0)
    await drift(client, 52.0, 54.0, 56.0, 58.0)
    assert (await heard.next())[0] > 55


@both
async def test_a_percent_deadband_is_kept(client: Client) -> None:
    """What is less than the part of EURange is not reported."""
    _, heard, _ = await watch(client, ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, 2, 10.0))
    assert await heard.next() == (50.0, 0)
    await drift(client, 51.0)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(heard.queue.get(), 0.4)
    await drift(client, 80.0)
    assert await heard.next() == (80.0, 0)


@both
@pytest.mark.parametrize("wanted", [300.0, 1000.0])
async def test_an_item_has_its_own_sampling(client: Client, wanted: float) -> None:
    """The sampling interval is not that of the subscription."""
    _, _, result = await watch(client, SamplingInterval=wanted)
    assert result.RevisedSamplingInterval == wanted


@both
async def test_a_queue_that_overflows_says_so(client: Client) -> None:
    """The Overflow bit stands where values were lost."""
    subscription, heard, _ = await watch(client, publishing=600, QueueSize=2)
    for value in (51.0, 52.0, 53.0):
        await drift(client, value)
        await asyncio.sleep(0.15)  # a sample for each
    found = [(await asyncio.wait_for(heard.queue.get(), 4)) for _ in range(2)]
    assert [data.StatusCode.value for data in found] == [OVERFLOW, 0]
    await subscription.delete()


@both
async def test_a_changed_subscription_is_changed(client: Client) -> None:
    """ModifySubscription does what it answers: from a minute to 100 ms."""
    subscription, heard, _ = await watch(client, publishing=60_000)
    await ask(
        client, ua.ModifySubscriptionRequest(), SubscriptionId=subscription.subscription_id,
        RequestedPublishingInterval=100.0, RequestedLifetimeCount=1000, RequestedMaxKeepAliveCount=100,
        MaxNotificationsPerPublish=0, Priority=0,
    )  # fmt: skip
    await heard.next()
    await drift(client, 77.0)
    assert await heard.next() == (77.0, 0)


@both
async def test_items_can_be_asked_for(client: Client) -> None:
    """GetMonitoredItems knows the items (OPC 10000-5 §9.1)."""
    subscription, _, result = await watch(client)
    number = ua.Variant(subscription.subscription_id, ua.VariantType.UInt32)
    servers, _clients = await client.get_node("i=2253").call_method(ua.NodeId(11492), number)
    assert servers == [result.MonitoredItemId]


@both
async def test_data_can_be_sent_again(client: Client) -> None:
    """ResendData reports the last values again (OPC 10000-5 §9.2)."""
    subscription, heard, _ = await watch(client)
    await heard.next()
    number = ua.Variant(subscription.subscription_id, ua.VariantType.UInt32)
    await client.get_node("i=2253").call_method(ua.NodeId(12873), number)
    assert await heard.next() == (50.0, 0)


@both
@pytest.mark.parametrize(
    ("message", "fields", "code"),
    [
        (ua.BrowseNextRequest, {"ContinuationPoints": []}, S.BadNothingToDo),
        (ua.SetTriggeringRequest, {"SubscriptionId": 1, "LinksToAdd": [1]}, S.BadSubscriptionIdInvalid),
        (ua.CancelRequest, {"RequestHandle": 5}, 0),
        (ua.QueryFirstRequest, {}, S.BadServiceUnsupported),
        (ua.HistoryUpdateRequest, {}, S.BadServiceUnsupported),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else None,
)
async def test_services_that_stock_does_not_know(client: Client, message: Any, fields: Any, code: int) -> None:
    """They are there, or are unsupported; rights have nothing to do with it."""
    assert await refused(client, message(), **fields) == code


@both
async def test_a_subscription_moves_to_another_session(client: Client, url: str) -> None:
    """TransferSubscriptions: the new session gets the notifications, and both sessions live on."""
    subscription, _, _ = await watch(client)
    async with Client(url, timeout=60) as other:
        moved = await ask(
            other, ua.TransferSubscriptionsRequest(), SubscriptionIds=[subscription.subscription_id],
            SendInitialValues=True,
        )  # fmt: skip
        assert moved.Parameters.Results[0].StatusCode.value == 0
        published = await asyncio.wait_for(ask(other, ua.PublishRequest()), waiting[0])
        (data,) = published.Parameters.NotificationMessage.NotificationData
        assert data.MonitoredItems[0].Value.Value.Value == 50.0
        assert await other.get_node("i=2259").read_value() == 0
    assert await client.get_node("i=2259").read_value() == 0
