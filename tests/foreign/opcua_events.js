// opcua_events.js URL NAMESPACE-URI DEVICE VARIABLE ALARM METHOD-OBJECT: npm node-opcua-client; one JSON line per thing.
// Watches the alarms of the Server with a where clause, refreshes, acknowledges ALARM, calls METHOD-OBJECT/Start, reads the
// history of VARIABLE: raw in pages, aggregates, and the events of DEVICE.
const {
  OPCUAClient, AttributeIds, TimestampsToReturn, ClientSubscription, ClientMonitoredItem, constructEventFilter,
  ofType, DataType, AggregateFunction, HistoryReadRequest, ReadEventDetails,
} = require("node-opcua-client");

const line = (kind, told) => console.log(JSON.stringify({ kind, ...told }));
const FIELDS = ["EventId", "SourceName", "Message", "Severity", "ConditionName", "ActiveState.Id", "AckedState.Id", "Retain", "ConditionId", "EventType"];

async function main() {
  const [url, uri, device, variable, alarm, job] = process.argv.slice(2);
  const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1, initialDelay: 100 } });
  await client.connect(url);
  const session = await client.createSession();
  const ns = (await session.readNamespaceArray()).indexOf(uri);
  const id = (name) => `ns=${ns};s=${name}`;
  const subscription = ClientSubscription.create(session, {
    requestedPublishingInterval: 100, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1,
  });
  const item = ClientMonitoredItem.create(subscription, { nodeId: "i=2253", attributeId: AttributeIds.EventNotifier },
    { queueSize: 100, discardOldest: true, filter: constructEventFilter(FIELDS, ofType("AlarmConditionType")) }, TimestampsToReturn.Both);
  const events = [];
  let arrived = () => {};
  item.on("changed", (fields) => { events.push(fields); arrived(); });
  const until = async (test) => { while (!events.some(test)) await new Promise((done) => { arrived = done; }); return events.find(test); };
  await new Promise((done, fail) => { item.once("initialized", done); item.once("err", fail); });
  const call = (objectId, methodId, inputArguments) => session.call({ objectId, methodId, inputArguments });
  await call("i=2782", "i=3875", [{ dataType: DataType.UInt32, value: subscription.subscriptionId }]);
  const found = await until((fields) => fields[4].value === alarm);
  const tell = (fields) => line("event", {
    source: fields[1].value, message: fields[2].value.text, severity: fields[3].value, active: fields[5].value, acked: fields[6].value, retain: fields[7].value, condition: String(fields[8].value),
  });
  tell(found);
  line("framed", { types: events.map((fields) => fields[9].value.toString()).filter((type) => ["ns=0;i=2787", "ns=0;i=2788"].includes(type)).length });
  const acknowledged = await session.acknowledgeCondition(found[8].value, found[0].value, "seen by node");
  line("acknowledge", { status: acknowledged.name });
  tell(await until((fields) => fields[4].value === alarm && fields[6].value === true));
  line("again", { status: (await session.acknowledgeCondition(found[8].value, found[0].value, "twice")).name });

  const refused = await call(id(job), id(`${job}/Start`), [{ dataType: DataType.String, value: "FLANGE-20" }, { dataType: DataType.Int32, value: 5 }]);
  line("call", { status: refused.statusCode.name, each: refused.inputArgumentResults.map((one) => one.name) });

  const end = new Date(Date.now() + 3600_000), start = new Date(end.getTime() - 86_400_000);
  const raw = await session.readHistoryValue({ nodeId: id(variable) }, start, end, { numValuesPerNode: 2, returnBounds: false });
  line("raw", { status: raw.statusCode.name, count: raw.historyData.dataValues.length, more: raw.continuationPoint !== null && raw.continuationPoint.length > 0 });
  const counted = await session.readAggregateValue({ nodeId: id(variable) }, start, end, AggregateFunction.Count, 0);
  line("count", { status: counted.statusCode.name, value: counted.historyData.dataValues[0].value.value });
  const mean = await session.readAggregateValue({ nodeId: id(variable) }, start, end, AggregateFunction.TimeAverage, 0);
  line("mean", { status: mean.statusCode.name, quality: mean.historyData.dataValues[0].statusCode.name });
  const past = await session.historyRead(new HistoryReadRequest({
    historyReadDetails: new ReadEventDetails({ startTime: start, endTime: end, numValuesPerNode: 0, filter: constructEventFilter(["Message", "ConditionName"]) }),
    timestampsToReturn: TimestampsToReturn.Both, releaseContinuationPoints: false, nodesToRead: [{ nodeId: id(device) }],
  }));
  const names = past.results[0].historyData.events.map((event) => event.eventFields[1].value);
  line("events", { status: past.results[0].statusCode.name, seen: names.includes(alarm) });
  await subscription.terminate();
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error.stack); process.exit(1); });
