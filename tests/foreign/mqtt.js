// mqtt.js URL OPTIONS-JSON: npm mqtt as a client of version 5 (or 4). It subscribes to "js/#" with an identifier, publishes a
// request to "js/ask" with QoS 2, answers it to its response topic, and prints one JSON line per message, then one on its end.
const fs = require("fs");
const mqtt = require("mqtt");

const [url, given] = process.argv.slice(2);
const { ca, cert, key, ...options } = JSON.parse(given || "{}");
for (const [name, path] of Object.entries({ ca, cert, key })) if (path) options[name] = fs.readFileSync(path);
const five = options.protocolVersion === 5;

async function main() {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 15000, ...options }, false);
  const done = new Promise((resolve, reject) => {
    const seen = [];
    client.on("error", reject);
    client.on("message", (topic, payload, packet) => {
      const { contentType, userProperties, correlationData, responseTopic, subscriptionIdentifier } = packet.properties || {};
      console.log(JSON.stringify({
        topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain, contentType, userProperties, responseTopic,
        correlation: correlationData && correlationData.toString("hex"), subscriptionIdentifier,
      }));
      seen.push(topic);
      if (topic === "js/ask") client.publish(responseTopic || "js/answer", "42", { qos: 1, properties: five ? { correlationData } : undefined });
      if (seen.length === 2) resolve();
    });
  });
  const granted = await client.subscribeAsync("js/#", { qos: 2, rap: true, properties: five ? { subscriptionIdentifier: 7 } : undefined });
  await client.publishAsync("js/ask", "how many?", {
    qos: 2,
    properties: five ? {
      responseTopic: "js/answer", correlationData: Buffer.from([1, 2]), contentType: "text/plain",
      userProperties: { cell: "7" }, messageExpiryInterval: 60, payloadFormatIndicator: true,
    } : undefined,
  });
  await done;
  let refused = null;
  try { await client.publishAsync("forbidden", "x", { qos: 1 }); } catch (error) { refused = error.code; }
  await client.endAsync();
  console.log(JSON.stringify({ end: true, granted: granted.map((one) => one.qos), refused }));
}

main().catch((error) => { console.error(error); process.exit(1); });
