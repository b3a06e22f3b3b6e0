// Node-RED without its editor: nothing listens, nothing is installed, nothing is reported home.
module.exports = {
  flowFile: "flow.json",
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  telemetry: { enabled: false },
  externalModules: { autoInstall: false, palette: { allowInstall: false, allowUpload: false } },
  logging: { console: { level: "info", metrics: false, audit: false } },
};
