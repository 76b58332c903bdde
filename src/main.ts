import { parseArgs } from "node:util";
import { startServer } from "./server/app.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    listen: { type: "string", multiple: true },
    instance: { type: "string", multiple: true },
    services: { type: "string" },
    quota: { type: "string" },
    durability: { type: "string" },
    "log-level": { type: "string" },
    "log-format": { type: "string" },
    "max-batch-bytes": { type: "string" },
  },
});
const size = (text: string): number => Number.parseFloat(text) * (1e3 ** " KMGT".indexOf(text.slice(-1)) || 1);
const say = (level: string) => (fields: object, msg: string) =>
  void process.stderr.write(`${JSON.stringify({ level, ...fields, msg }, (_, v) => (v instanceof Error ? v.stack : v))}\n`);
const log = { debug: () => {}, info: say("info"), warn: say("warn"), error: say("error") };
const listeners = (values.listen ?? ["127.0.0.1:11001"]).map((spec) => {
  const f = spec.includes("=") ? Object.fromEntries(spec.split(",").map((p) => p.split("="))) : { address: spec };
  const tls = f.cert && { certificate: f.cert, key: f.key, clientCertificates: f["client-certs"] };
  return { address: f.address, push: f.push !== "false", tls: tls || undefined };
});
const server = await startServer(
  {
    store: positionals[1] ?? "./cache",
    listeners,
    instances: values.instance ?? [""],
    services: (values.services ?? "all") as "all",
    quota: values.quota === undefined ? undefined : size(values.quota),
    durability: (values.durability ?? "on") as "on",
    maxBatchBytes: Number(values["max-batch-bytes"] ?? 4128768),
    maxBlobBytes: undefined,
    version: "dev",
  },
  log,
);
log.info({ listeners: server.listeners }, "ready");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => void server.close(5000).then(() => process.exit(0)));
