// opcua_conformance.js URL NAMESPACE CLAIMS.json: npm node-opcua-client makes the request of each claim; one JSON line of results each.
const o = require("node-opcua-client");
const { NumericRange } = require("node-opcua-numeric-range");
const fs = require("fs");
const [url, index, file] = process.argv.slice(2);
const nodeId = (name) => (/^i=/.test(name) ? name : `ns=${index};s=${name}`);
const name = (code) => (code ? code.name.replace(/\s.*/, "") : "Good");
const node = (wanted) => new o.ReadValueId({
  nodeId: nodeId(wanted.node), attributeId: wanted.attribute, indexRange: wanted.range ? range(wanted.range) : undefined,
  dataEncoding: wanted.encoding ? { namespaceIndex: 0, name: wanted.encoding } : undefined,
});

const range = (text) => { // node-opcua does not send a range that is none; what the server says to it is asked for here
  const made = new NumericRange("0:1");
  made.toEncodeableString = () => text;
  return made;
};

const ask = (session, request) => new Promise((done, fail) =>
  session.performMessageTransaction(request, (error, response) => (error && !error.response ? fail(error) : done(error ? error.response : response))));
const codes = (response, results = response.results) => {
  const service = name(response.responseHeader.serviceResult);
  return service !== "Good" || !results ? [service] : results.map((one) => name(one.statusCode ?? one));
};

const subscription = (session, interval) => ask(session, new o.CreateSubscriptionRequest({
  requestedPublishingInterval: interval, requestedLifetimeCount: 100, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 0,
}));
const description = (claim) => ({
  nodeId: nodeId(claim.node), browseDirection: claim.direction ?? 0, referenceTypeId: nodeId(claim.reference ?? "i=33"),
  includeSubtypes: claim.subtypes ?? true, nodeClassMask: claim.mask ?? 0, resultMask: 63,
});

const DO = {
  async read(session, claim) {
    const nodesToRead = Array(claim.times ?? 1).fill(claim.nodes.map(node)).flat();
    const found = codes(await ask(session, new o.ReadRequest({ maxAge: claim.age ?? 0, timestampsToReturn: 2, nodesToRead })));
    return claim.times ? [...new Set(found)] : found;
  },
  async write(session, claim) {
    const value = { value: { dataType: claim.type, value: claim.value } };
    return codes(await ask(session, new o.WriteRequest({ nodesToWrite: [{ nodeId: nodeId(claim.node), attributeId: 13, value }] })));
  },
  async browse(session, claim) { return codes(await ask(session, new o.BrowseRequest({ nodesToBrowse: [description(claim)] }))); },
  async browse_next(session, claim) {
    return codes(await ask(session, new o.BrowseNextRequest({ releaseContinuationPoints: false, continuationPoints: [Buffer.from(claim.point)] })));
  },
  async pages(session, claim) {
    const browse = async (most) => (await ask(session, new o.BrowseRequest({ nodesToBrowse: [description(claim)], requestedMaxReferencesPerNode: most }))).results[0];
    const whole = (await browse(0)).references.length;
    let page = await browse(claim.most), found = page.references.length;
    while (page.continuationPoint && page.continuationPoint.length) {
      page = (await ask(session, new o.BrowseNextRequest({ releaseContinuationPoints: false, continuationPoints: [page.continuationPoint] }))).results[0];
      if (page.references.length > claim.most) return [false];
      found += page.references.length;
    }
    return [found === whole && whole > claim.most];
  },
  async translate(session, claim) {
    const elements = claim.path.map((one) => ({ referenceTypeId: "i=33", isInverse: false, includeSubtypes: true, targetName: { namespaceIndex: Number(index), name: one } }));
    return codes(await ask(session, new o.TranslateBrowsePathsToNodeIdsRequest({ browsePaths: [{ startingNode: nodeId(claim.node), relativePath: { elements } }] })));
  },
  async call(session, claim) {
    const inputArguments = claim.arguments.map((value) => ({ dataType: "UInt32", value }));
    return codes(await ask(session, new o.CallRequest({ methodsToCall: [{ objectId: nodeId(claim.object), methodId: nodeId(claim.method), inputArguments }] })));
  },
  async subscribe(session, claim) {
    const made = await subscription(session, claim.interval);
    await ask(session, new o.DeleteSubscriptionsRequest({ subscriptionIds: [made.subscriptionId] }));
    return [made.revisedPublishingInterval];
  },
  async delete(session, claim) { return codes(await ask(session, new o.DeleteSubscriptionsRequest({ subscriptionIds: [claim.subscription] }))); },
  async item(session, claim) {
    const made = await subscription(session, 1000);
    const filter = claim.band ? new o.DataChangeFilter({ trigger: 1, deadbandType: claim.band[0], deadbandValue: claim.band[1] }) : null;
    const answer = await ask(session, new o.CreateMonitoredItemsRequest({ subscriptionId: made.subscriptionId, timestampsToReturn: 2, itemsToCreate: [{
      itemToMonitor: node(claim), monitoringMode: 2, requestedParameters: { clientHandle: 1, samplingInterval: 100, filter, queueSize: 10, discardOldest: true } }] }));
    await ask(session, new o.DeleteSubscriptionsRequest({ subscriptionIds: [made.subscriptionId] }));
    return codes(answer);
  },
  async reports(session, claim) {
    const watching = o.ClientSubscription.create(session, { requestedPublishingInterval: 100, requestedLifetimeCount: 100, requestedMaxKeepAliveCount: 10, publishingEnabled: true });
    const item = o.ClientMonitoredItem.create(watching, { nodeId: nodeId(claim.node), attributeId: 13 }, { samplingInterval: 100, discardOldest: true, queueSize: 10 }, 2);
    const good = await new Promise((done) => item.on("changed", (data) => done(data.statusCode.name === "Good")));
    await watching.terminate();
    return [good];
  },
  async secure(_session, claim) {
    const client = make(o.SecurityPolicy[claim.policy], o.MessageSecurityMode.SignAndEncrypt);
    await client.connect(url);
    const session = await client.createSession();
    const found = name((await session.read({ nodeId: "i=2258", attributeId: 13 })).statusCode);
    await session.close();
    await client.disconnect();
    return [found];
  },
};

function make(securityPolicy = o.SecurityPolicy.None, securityMode = o.MessageSecurityMode.None) {
  return o.OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1, initialDelay: 100 }, securityMode, securityPolicy });
}

async function main() {
  const client = make();
  await client.connect(url);
  const session = await client.createSession();
  for (const claim of JSON.parse(fs.readFileSync(file)).filter((one) => !one.unsent_by?.includes("node"))) {
    let got;
    try { got = await DO[claim.do](session, claim); } catch (error) { got = [String(error.message).split("\n")[0]]; }
    console.log(JSON.stringify({ claim: claim.claim, got }));
  }
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error.stack); process.exit(1); });
