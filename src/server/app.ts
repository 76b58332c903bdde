import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { ActionCache } from "../cache/action-cache.ts";
import { AssetIndex } from "../cache/asset-index.ts";
import { Closure } from "../cache/closure.ts";
import { MessageIndex } from "../cache/message-index.ts";
import { type Tenant, tenantsOf } from "../cache/tenant.ts";
import { Uploads } from "../cache/uploads.ts";
import type { HttpHandler } from "../http/exchange.ts";
import { RpcServer } from "../rpc/server.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { type DiskStore, openDiskStore } from "../store/disk/open-store.ts";
import type { RefStore } from "../store/ref-store.ts";
import { SqliteRefStore } from "../store/sqlite/sqlite-ref-store.ts";
import { retryWhenFull } from "../store/wrap/retry-when-full.ts";
import { CallStats } from "./call-stats.ts";
import { httpCache } from "./http/cache.ts";
import { Http1 } from "./http/http1.ts";
import { pages } from "./http/pages.ts";
import { Listener, type ListenerConfig } from "./listener.ts";
import { serverMetrics } from "./metrics.ts";
import { type OriginSettings, openOrigin } from "./origin-options.ts";
import { Readiness } from "./readiness.ts";
import { type Part, servicesOf } from "./services.ts";

/** What a server is made of. Sizes in bytes; paths absolute. */
export interface ServerOptions extends OriginSettings {
  readonly store: string;
  readonly listeners: readonly ListenerConfig[];
  /** Instance names; each has blobs and names of its own. */
  readonly instances: readonly string[];
  readonly services: Part;
  readonly quota: number | undefined;
  readonly durability: "on" | "off";
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number | undefined;
  /** What `/status` says the program is. */
  readonly version: string;
}

export interface RunningListener {
  /** `HOST:PORT` or `unix:PATH` where it really listens. */
  readonly address: string;
  readonly tls: boolean;
  readonly push: boolean;
  readonly clientCertificates: boolean;
}

export interface RunningServer {
  readonly listeners: readonly RunningListener[];
  usage(): StoreUsage;
  /** Takes certificates and keys as they are on disk now. Errors: `failed-precondition`; the old ones stay then. */
  reload(): Promise<void>;
  /** Lets running calls end for `graceMs`, cuts those that have not, and closes the store. */
  close(graceMs: number): Promise<void>;
}

/** Opens the store and serves it. What was opened is closed again, in reverse order, when a later step fails. */
export async function startServer(options: ServerOptions, log: Log): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack();
  const { durability, quota } = options;
  const clock = systemClock;
  const store = await openDiskStore(options.store, {
    durability,
    clock,
    log,
    ...(quota === undefined ? {} : { quota }),
  });
  opened.defer(() => store.close());
  const refs = new SqliteRefStore({
    file: join(options.store, "refs.sqlite"),
    durability,
    clock,
    log,
  });
  opened.defer(() => refs.close());
  const uploads = new Uploads(clock);
  opened.defer(() => uploads.stop());
  const origin = openOrigin(options, store, log);
  opened.defer(() => origin?.close());

  const tenants = tenantsOf(options.instances.map((name) => tenant(name, store, refs, options.services)));
  const readiness = new Readiness();
  const calls = new CallStats();
  const rpc: RpcServer = new RpcServer({
    services: servicesOf({ ...options, part: options.services, tenants, uploads, readiness, origin }),
    http: (request) => http(request),
    observer: calls,
    log,
  });
  const metrics = serverMetrics({ calls, origin, usage: () => store.usage(), connections: () => rpc.connections() });
  const listeners: Listener[] = [];
  const started = clock();
  const operatorPages = pages({
    readiness,
    metrics: () => metrics.metrics(),
    status: () => ({
      program: "stillage",
      version: options.version,
      uptimeSeconds: Math.round((clock() - started) / 1000),
      services: options.services,
      durability,
      instances: options.instances.length,
      store: store.usage(),
      listeners: listeners.map(running),
    }),
  });
  // The HTTP cache is of blobs and results, which an index alone has not.
  const http: HttpHandler =
    options.services === "index" ? operatorPages : httpCache({ ...options, tenants }, operatorPages);
  const http1 = new Http1(http, log);
  for (const config of options.listeners) {
    const listener = await Listener.open(config, { rpc, http1, log });
    opened.defer(() => listener.close());
    listeners.push(listener);
  }
  readiness.set(true);
  const parts = opened.move();
  return {
    listeners: listeners.map(running),
    usage: () => store.usage(),
    reload: async () => {
      for (const listener of listeners) await listener.reload();
    },
    close: async (graceMs) => {
      readiness.set(false);
      for (const listener of listeners) listener.close();
      await Promise.all([rpc.close(graceMs), http1.close(graceMs)]);
      await parts.disposeAsync();
    },
  };
}

/** One instance: its blobs, its names, and the rules between them. */
function tenant(name: string, store: DiskStore, refs: RefStore, part: Part): Tenant {
  const blobs = retryWhenFull(store.tenant(name));
  const closure = new Closure(blobs, () => store.removals());
  const shared = { instance: name, refs, clock: systemClock };
  const index = { ...shared, closure: part === "index" ? undefined : closure };
  return {
    name,
    blobs,
    actions: new ActionCache({ ...shared, blobs, closure }),
    assets: new AssetIndex(index),
    messages: new MessageIndex(index),
  };
}

function running({ address, config }: Listener): RunningListener {
  const { push, tls } = config;
  return { address, push, tls: tls !== undefined, clientCertificates: tls?.clientCertificates !== undefined };
}
