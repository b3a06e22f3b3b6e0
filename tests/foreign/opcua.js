// opcua.js URL read|watch SECONDS NAMESPACE-URI NODE…: npm node-opcua-client; NODE is the string identifier in that namespace.
// read: one JSON line per node. watch: a subscription, one JSON line per notification, for SECONDS.
const { OPCUAClient, AttributeIds, TimestampsToReturn, MessageSecurityMode, SecurityPolicy, UserTokenType, ClientSubscription, ClientMonitoredItem } = require("node-opcua-client");

const line = (node, data) => console.log(JSON.stringify({
  node, value: data.value.value, status: data.statusCode.name, source: data.sourceTimestamp, dataType: data.value.dataType,
}));

async function main() {
  const [url, verb, seconds, uri, ...names] = process.argv.slice(2);
  const user = process.env.OPCUA_USER;
  const secure = process.env.OPCUA_SECURE === "1";
  const client = OPCUAClient.create({
    endpointMustExist: false,
    connectionStrategy: { maxRetry: 1, initialDelay: 100 },
    securityMode: secure ? MessageSecurityMode.SignAndEncrypt : MessageSecurityMode.None,
    securityPolicy: secure ? SecurityPolicy.Basic256Sha256 : SecurityPolicy.None,
  });
  await client.connect(url);
  const session = await client.createSession(
    user ? { type: UserTokenType.UserName, userName: user, password: process.env.OPCUA_PASSWORD } : undefined);
  const namespaces = await session.readNamespaceArray();
  const ns = namespaces.indexOf(uri);
  if (ns < 0) throw new Error(`no namespace ${uri}: ${namespaces.join(", ")}`);
  const nodes = names.map((name) => ({ nodeId: `ns=${ns};s=${name}`, attributeId: AttributeIds.Value }));
  if (verb === "read") {
    const values = await session.read(nodes);
    values.forEach((value, i) => line(names[i], value));
  } else if (verb === "write") {
    const status = await session.write({ ...nodes[0], value: { value: { dataType: "Double", value: Number(process.env.OPCUA_VALUE) } } });
    console.log(JSON.stringify({ node: names[0], status: status.name }));
  } else {
    const subscription = ClientSubscription.create(session, {
      requestedPublishingInterval: 500, requestedLifetimeCount: 100, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 100, publishingEnabled: true, priority: 1,
    });
    nodes.forEach((node, i) => {
      const item = ClientMonitoredItem.create(subscription, node, { samplingInterval: 250, discardOldest: true, queueSize: 10 }, TimestampsToReturn.Both);
      item.on("changed", (data) => line(names[i], data));
    });
    await new Promise((done) => setTimeout(done, Number(seconds) * 1000));
    await subscription.terminate();
  }
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error.stack); process.exit(1); });
