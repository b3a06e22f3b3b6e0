// npm node-opcua's client as a program that makes requests: one JSON line in, one out; values in the JSON of OPC 10000-6 §5.4.
const o = require("node-opcua-client");
const types = require("node-opcua-types");
const { NumericRange } = require("node-opcua-numeric-range");
const { coerceStatusCode } = require("node-opcua-status-code");
const fs = require("fs");
const readline = require("readline");

const STRUCTURES = Object.fromEntries(Object.values(types).filter((one) => one?.schema?.dataTypeNodeId).map((one) => [shown(one.schema.dataTypeNodeId), one]));
const BASIC = {
  NodeId: (text) => o.coerceNodeId(text), ExpandedNodeId: (text) => o.coerceExpandedNodeId(text),
  QualifiedName: (text) => { const [, index, name] = /^(?:(\d+):)?(.*)$/s.exec(text); return new o.QualifiedName({ namespaceIndex: Number(index ?? 0), name }); },
  LocalizedText: (made) => new o.LocalizedText({ text: made.Text, locale: made.Locale }),
  ByteString: (text) => Buffer.from(text, "base64"), DateTime: (text) => new Date(text), Variant: variant, DataValue: dataValue,
  NumericRange: (text) => { // what it would not send is what the server is asked for here
    const made = new NumericRange("0:1");
    made.toEncodeableString = () => text;
    return made;
  },
  ExtensionObject: (made) => structure(STRUCTURES[made.UaTypeId], made),
  StatusCode: (made) => coerceStatusCode(made.Code), Double: Number, Float: Number, Int64: long, UInt64: long,
};

function long(text) { const whole = BigInt(text); return [Number(whole >> 32n), Number(whole & 0xffffffffn)]; }

function variant(made) {
  const dataType = made.UaType ?? 0, one = BASIC[o.DataType[dataType]] ?? ((value) => value);
  if (!Array.isArray(made.Value)) return new o.Variant({ dataType, value: made.Value === undefined ? undefined : one(made.Value) });
  return new o.Variant({ dataType, arrayType: 1, value: made.Value.map(one) });
}

function dataValue(made) {
  const time = (text) => (text ? new Date(text) : undefined);
  return new o.DataValue({
    value: variant(made), statusCode: made.Status && coerceStatusCode(made.Status.Code), sourceTimestamp: time(made.SourceTimestamp), serverTimestamp: time(made.ServerTimestamp),
  });
}

function structure(kind, made) {
  const given = {};
  for (const field of kind.schema.fields) {
    const plain = made[field.originalName ?? field.name];
    if (plain === undefined || plain === null) continue;
    const one = (value) => field.category === "enumeration" ? value
      : BASIC[field.fieldType] ? BASIC[field.fieldType](value)
      : field.category === "complex" ? structure(types[field.fieldType] ?? o[field.fieldType], value) : value;
    given[field.name] = field.isArray ? plain.map(one) : one(plain);
  }
  return Object.assign(new kind({}), given); // it would not take what is out of range
}

function shown(value, type) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) && (type === "Int64" || type === "UInt64")) return String(BigInt(value[0]) << 32n | BigInt(value[1]));
  if (value instanceof o.StatusCode) return { Code: value.value };
  if (value instanceof o.NodeId) return value.toString().replace(/^ns=0;/, "").replace(/;s=$/, "").replace(/^(ns=\d+;)?b=0x.*/, (text) => text);
  if (value instanceof o.QualifiedName) return value.namespaceIndex ? `${value.namespaceIndex}:${value.name}` : value.name;
  if (value instanceof o.LocalizedText) return { Locale: value.locale, Text: value.text };
  if (value instanceof Date) return value.getTime() <= Date.UTC(1601, 0, 1) ? null : value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (value instanceof o.Variant) {
    const kind = o.DataType[value.dataType], many = value.arrayType !== 0;
    return { UaType: value.dataType, Value: many ? [...(value.value ?? [])].map((one) => shown(one, kind)) : shown(value.value, kind) };
  }
  if (value instanceof o.DataValue) {
    const beside = value.statusCode.value ? { Status: shown(value.statusCode) } : {};
    if (value.sourceTimestamp) beside.SourceTimestamp = shown(value.sourceTimestamp);
    if (value.serverTimestamp) beside.ServerTimestamp = shown(value.serverTimestamp);
    return value.value.dataType ? { ...shown(value.value), ...beside } : beside;
  }
  if (ArrayBuffer.isView(value)) return [...value];
  if (Array.isArray(value)) return value.map((one) => shown(one, type));
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  const schema = value.schema;
  if (schema?.fields) {
    const found = schema.dataTypeNodeId ? { UaTypeId: shown(schema.dataTypeNodeId) } : {};
    for (let each = schema; each?.fields; each = each._baseSchema) for (const field of each.fields) found[field.originalName ?? field.name] = shown(value[field.name], field.fieldType);
    return found;
  }
  return typeof value === "object" ? String(value) : value;
}

const clients = {};
const refused = (error) => {
  const name = /\b(Bad[A-Z]\w+|Uncertain\w+)/.exec(error.response?.responseHeader?.serviceResult?.name ?? error.message);
  if (!name) throw error;
  return { ResponseHeader: { ServiceResult: { Code: o.StatusCodes[name[1]].value } } };
};

const DO = {
  async connect(asked) {
    const client = o.OPCUAClient.create({
      endpointMustExist: false, connectionStrategy: { maxRetry: 0, initialDelay: 10 }, securityMode: asked.mode, securityPolicy: o.SecurityPolicy[asked.policy],
      applicationUri: asked.applicationUri, certificateFile: asked.client.pem, privateKeyFile: asked.client.key, keepSessionAlive: false, clientName: asked.applicationUri,
    });
    try {
      await client.connect(asked.url);
      const own = asked[asked.x509];
      const user = own ? { type: 2, certificateData: fs.readFileSync(own.der), privateKey: fs.readFileSync(own.key, "utf8") } : asked.user ? { type: 1, userName: asked.user, password: asked.password } : { type: 0 };
      clients[asked.connection] = { client, session: asked.session === false ? null : await client.createSession(user) };
    } catch (error) {
      await client.disconnect();
      return refused(error);
    }
    return {};
  },
  async disconnect(asked) {
    const { client, session } = clients[asked.connection];
    delete clients[asked.connection];
    if (session) await session.close(true).catch(() => {}); // it may be closed already
    await client.disconnect();
    return {};
  },
  async send(asked) {
    const { client, session } = clients[asked.connection];
    const request = structure(types[`${asked.service}Request`], asked.request);
    try {
      return shown(await new Promise((done, fail) =>
        (session ?? client).performMessageTransaction(request, (error, response) => (error && !error.response ? fail(error) : done(error ? error.response : response)))));
    } catch (error) { return refused(error); }
  },
};

const answer = async (asked) => {
  let told;
  try { told = { response: await DO[asked.do](asked) }; } catch (error) { told = { error: String(error.stack) }; }
  console.log(JSON.stringify(told));
};
let before = Promise.resolve();
readline.createInterface({ input: process.stdin })
  .on("line", (line) => { before = before.then(() => answer(JSON.parse(line))); })
  .on("close", () => before.then(() => process.exit(0)));
