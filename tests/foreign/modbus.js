// modbus.js HOST PORT UNIT [read TABLE ADDRESS COUNT | write ADDRESS WORD…]…: npm modbus-serial, one JSON line per request.
const ModbusRTU = require("modbus-serial");

async function main() {
  const [host, port, unit, ...rest] = process.argv.slice(2);
  const client = new ModbusRTU();
  await client.connectTCP(host, { port: Number(port) });
  client.setID(Number(unit));
  client.setTimeout(5000);
  const read = {
    holding: (a, n) => client.readHoldingRegisters(a, n),
    input: (a, n) => client.readInputRegisters(a, n),
    coil: (a, n) => client.readCoils(a, n),
    discrete: (a, n) => client.readDiscreteInputs(a, n),
  };
  while (rest.length) {
    const verb = rest.shift();
    const [a, b, c] = [rest.shift(), Number(rest.shift()), verb === "read" ? Number(rest.shift()) : 0];
    try {
      const answer = verb === "read" ? await read[a](b, c) : await client.writeRegisters(Number(a), [b]);
      const data = verb === "read" && c ? answer.data.slice(0, c) : answer.data;
      console.log(JSON.stringify({ data, hex: answer.buffer ? answer.buffer.toString("hex") : undefined }));
    } catch (error) {
      console.log(JSON.stringify({ exception: error.modbusCode ?? null, error: error.message }));
    }
  }
  client.close(() => process.exit(0));
}

main().catch((error) => { console.error(error.message); process.exit(1); });
