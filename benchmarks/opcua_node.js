// opcua_node.js PORT TAGS TICK_MS: node-opcua's own server, as its documentation shows it, with TAGS doubles that change every TICK_MS.
const { OPCUAServer, Variant, DataType, StatusCodes, OPCUACertificateManager } = require("node-opcua");
const path = require("path"), os = require("os"), fs = require("fs");

async function main() {
  const [port, tags, tick] = process.argv.slice(2).map(Number);
  const rootFolder = fs.mkdtempSync(path.join(os.tmpdir(), "opcua-node-"));
  const server = new OPCUAServer({
    port, serverCertificateManager: new OPCUACertificateManager({ rootFolder, automaticallyAcceptUnknownCertificate: true }),
    serverInfo: { applicationUri: "urn:bench:node" },
  });
  await server.initialize();
  const space = server.engine.addressSpace, namespace = space.getOwnNamespace(), nodes = [];
  for (let n = 0; n < tags; n++) {
    if (n % 50 === 0) var folder = namespace.addFolder("ObjectsFolder", { browseName: `Folder${n / 50}` });
    const node = namespace.addVariable({ organizedBy: folder, browseName: `Tag${n}`, nodeId: `s=bench.tag${n}`, dataType: "Double" });
    node.setValueFromSource({ dataType: DataType.Double, value: n });
    nodes.push(node);
  }
  await server.start();
  console.log(JSON.stringify({ url: `opc.tcp://127.0.0.1:${port}`, namespace: namespace.index }));
  let step = 0;
  if (tick) setInterval(() => { step++; nodes.forEach((node, n) => node.setValueFromSource({ dataType: DataType.Double, value: n + step })); }, tick);
}

main().catch((error) => { console.error(error); process.exit(1); });
