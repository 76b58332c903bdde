/**
 * What each room of src/ may import besides itself: the direction of the design, `base <- http, http2, rpc, ostree <- store <- cache
 * <- artifact <- release <- server | client | import <- cli <- main`, said exactly. The server has `origin` and `access` beside those.
 */
const transport = ["base", "http", "http2", "rpc", "gen"];
const kept = ["base", "gen", "store"];
const rules = [...kept, "cache", "ostree", "artifact", "release"];

export const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  gen: [],
  http: ["base"],
  http2: ["base"],
  rpc: transport,
  access: ["base", "config"],
  store: ["base", "gen"],
  backup: kept,
  cache: [...kept, "ostree"],
  origin: [...kept, "cache"],
  ostree: ["base"],
  artifact: [...kept, "cache", "ostree"],
  ssh: ["base"],
  release: [...rules, "access", "config", "project", "ssh"],
  receive: [...rules, "access", "config", "http"],
  import: [...kept, "cache", "ostree"],
  check: [...kept, "cache"],
  expiry: [...kept, "cache", "ostree"],
  server: [...transport, ...rules, "access", "origin", "check", "expiry"],
  project: ["base", "config"],
  client: [...transport, ...rules, "config", "project", "ssh"],
  config: ["base"],
  cli: [
    ...transport,
    ...rules,
    "access",
    "backup",
    "check",
    "expiry",
    "import",
    "receive",
    "ssh",
    "server",
    "client",
    "project",
    "config",
  ],
  library: ["base", "client"],
  main: ["cli"],
};

/** What `import … from "stillage"` leads to: the one file that only hands on what others export. */
export const packageEntry = "src/library.ts";

/** Rooms whose types a room may name although it may not run their code. */
export const mayNameTypesOf: Readonly<Record<string, readonly string[]>> = {
  config: ["server"],
  library: ["artifact", "store"],
};

/** Where the doors are. A door imports no other door; `cas.ts` may import `cas-batch-read.ts`, a part of its own, and the other way round. */
export const doorFolders: readonly string[] = ["src/server/grpc", "src/server/http"];
