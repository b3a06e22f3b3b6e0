// modbus_all.js KIND WHERE UNIT: npm modbus-serial, one JSON line per call. KIND is tcp, rtu-tcp (WHERE host:port) or serial (a path).
const ModbusRTU = require("modbus-serial");

async function connect(client, kind, where) {
  const [host, port] = where.split(":");
  if (kind === "tcp") return client.connectTCP(host, { port: Number(port) });
  if (kind === "rtu-tcp") return client.connectTelnet(host, { port: Number(port) });
  return client.connectRTUBuffered(where, { baudRate: 19200 });
}

async function main() {
  const [kind, where, unit] = process.argv.slice(2);
  const client = new ModbusRTU();
  await connect(client, kind, where);
  client.setID(Number(unit));
  client.setTimeout(5000);
  const calls = [
    ["coils", () => client.readCoils(0, 2)],
    ["discrete", () => client.readDiscreteInputs(0, 1)],
    ["holding", () => client.readHoldingRegisters(0, 2)],
    ["input", () => client.readInputRegisters(0, 2)],
    ["write coil", () => client.writeCoil(0, true)],
    ["write coils", () => client.writeCoils(0, [true, false])],
    ["write register", () => client.writeRegister(4, 77)],
    ["write registers", () => client.writeRegisters(2, [0x41c8, 0])],
    ["read back", () => client.readHoldingRegisters(2, 3)],
    ["hole", () => client.readHoldingRegisters(500, 1)],
    ["identification", () => client.readDeviceIdentification(1, 0)],
  ];
  for (const [name, call] of calls) {
    try {
      const answer = await call();
      console.log(JSON.stringify({ name, data: answer.data ?? null, answer }));
    } catch (error) {
      console.log(JSON.stringify({ name, exception: error.modbusCode ?? null, error: error.message }));
    }
  }
  client.close(() => process.exit(0));
}

main().catch((error) => { console.error(error.stack); process.exit(1); });
