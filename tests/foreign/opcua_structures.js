// opcua_structures.js URL NAMESPACE-URI VALUE OBJECT METHOD: npm node-opcua-client; one JSON line per thing.
// Reads VALUE, which holds structures that node-opcua knows by their DataTypeDefinition alone, and calls METHOD with a list of one.
const { OPCUAClient, AttributeIds, DataType, VariantArrayType } = require("node-opcua-client");

const plain = (value) => JSON.parse(JSON.stringify(value));

async function main() {
  const [url, uri, name, object, method] = process.argv.slice(2);
  const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1, initialDelay: 100 } });
  await client.connect(url);
  const session = await client.createSession();
  const ns = (await session.readNamespaceArray()).indexOf(uri);
  const id = (text) => `ns=${ns};s=${text}`;
  const read = await session.read({ nodeId: id(name), attributeId: AttributeIds.Value });
  console.log(JSON.stringify({ kind: "read", status: read.statusCode.name, value: plain(read.value.value) }));
  const inputs = await session.getArgumentDefinition(id(method));
  const made = await session.constructExtensionObject(inputs.inputArguments[0].dataType, { iD: 1, name: "speed", value: 2.5 });
  console.log(JSON.stringify({ kind: "made", made: plain(made) }));
  const called = await session.call({
    objectId: id(object), methodId: id(method), inputArguments: [{ dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: [made] }],
  });
  console.log(JSON.stringify({ kind: "call", status: called.statusCode.name, each: (called.inputArgumentResults || []).map((one) => one.name) }));
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error.stack); process.exit(1); });
