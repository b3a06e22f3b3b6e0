// opcua_trust.js URL PKI-FOLDER NODE: npm node-opcua-client with a certificate of its own, SignAndEncrypt.
// Reads NODE as often as a line comes in, each time with a new connection; "watch" keeps one until the server ends it.
// One JSON line per answer; the first one tells the thumbprint of the certificate.
const readline = require("node:readline");
const crypto = require("node:crypto");
const fs = require("node:fs");
const { OPCUAClient, AttributeIds, MessageSecurityMode, SecurityPolicy } = require("node-opcua-client");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

const line = (told) => console.log(JSON.stringify(told));

async function main() {
  const [url, folder, nodeId] = process.argv.slice(2);
  const clientCertificateManager = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await clientCertificateManager.initialize();
  const certificateFile = `${folder}/client.pem`;
  const applicationUri = "urn:test:node-trust";
  await clientCertificateManager.createSelfSignedCertificate({
    applicationUri, dns: ["localhost"], outputFile: certificateFile, startDate: new Date(), subject: "/CN=node-trust", validity: 365,
  });
  const der = Buffer.from(fs.readFileSync(certificateFile, "utf8").replace(/-----[^-]+-----|\s/g, ""), "base64");
  line({ thumbprint: crypto.createHash("sha1").update(der).digest("hex") });
  const make = () => OPCUAClient.create({
    applicationUri, certificateFile, privateKeyFile: clientCertificateManager.privateKey, clientCertificateManager, endpointMustExist: false,
    connectionStrategy: { maxRetry: 0, initialDelay: 50, maxDelay: 50 }, securityMode: MessageSecurityMode.SignAndEncrypt, securityPolicy: SecurityPolicy.Basic256Sha256,
  });
  for await (const asked of readline.createInterface({ input: process.stdin })) {
    const client = make();
    try {
      await client.connect(url);
      const session = await client.createSession();
      const ended = new Promise((done) => client.on("connection_lost", done));
      const read = await session.read({ nodeId, attributeId: AttributeIds.Value });
      line({ status: read.statusCode.name });
      if (asked === "watch") {
        await ended;
        line({ ended: true });
      } else {
        await session.close();
      }
    } catch (error) {
      line({ refused: error.message.slice(0, 200) });
    }
    await client.disconnect().catch(() => {});
  }
}

main().then(() => process.exit(0), (error) => { console.error(error.stack); process.exit(1); });
