import { WatchedAccess } from "../access/watched-access.ts";
import { Catalogue } from "../artifact/catalogue.ts";
import { cataloguesOf } from "../artifact/catalogues.ts";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Closure } from "../cache/closure.ts";
import { type OpenCache, openCache } from "../cache/open-cache.ts";
import { composeTenant, type Tenant, tenantsOf } from "../cache/tenant.ts";
import { Uploads } from "../cache/uploads.ts";
import { RpcServer } from "../rpc/server.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { retryWhenFull } from "../store/wrap/retry-when-full.ts";
import { AccessLog } from "./access-log.ts";
import { Admission, boundsOf, type LimitSettings, nowhere } from "./admission.ts";
import { BothObservers } from "./both-observers.ts";
import { CallStats } from "./call-stats.ts";
import { ConnectionPlaces } from "./connection-places.ts";
import { isHealthCheck } from "./grpc/health.ts";
import { type HandedSockets, withSockets } from "./handed-sockets.ts";
import { api } from "./http/api.ts";
import { httpCache } from "./http/cache.ts";
import { Http1 } from "./http/http1.ts";
import { openPaths, pages } from "./http/pages.ts";
import { identified, logged } from "./http-visitors.ts";
import { isLocalAddress } from "./listen-address.ts";
import { Listener, type ListenerConfig } from "./listener.ts";
import { serverMetrics } from "./metrics.ts";
import { type OriginSettings, openOrigin } from "./origin-options.ts";
import { Readiness } from "./readiness.ts";
import { type Part, servicesOf } from "./services.ts";
import { storeAnswers } from "./store-answer.ts";

/** What a server is made of. Sizes in bytes; paths absolute. */
export interface ServerOptions extends OriginSettings, LimitSettings {
  readonly store: string;
  readonly listeners: readonly ListenerConfig[];
  /** What listeners called `systemd:NAME` listen on. */
  readonly sockets?: HandedSockets;
  /** Instance names; each has blobs and names of its own. */
  readonly instances: readonly string[];
  readonly services: Part;
  /** The file that says who may do what. */
  readonly access: string | undefined;
  /** A file, `stderr`, or `undefined` for none. */
  readonly accessLog: string | undefined;
  readonly quota: number | undefined;
  readonly durability: "on" | "off";
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number | undefined;
  /** What `/status` says the program is. */
  readonly version: string;
}

export interface RunningListener {
  /** `HOST:PORT` or `unix:PATH` where it really listens; `systemd:NAME` for a Unix socket that was handed over. */
  readonly address: string;
  readonly tls: boolean;
  readonly push: boolean;
  readonly clientCertificates: boolean;
}

export interface RunningServer {
  readonly listeners: readonly RunningListener[];
  usage(): StoreUsage;
  /** Resolves once the store has answered; rejects with what keeps it from that. */
  answers(): Promise<void>;
  /** Takes certificates, keys and rights as they are on disk now. Errors: `failed-precondition`; the old ones stay then. */
  reload(): Promise<void>;
  /** Lets running calls end for `graceMs`, cuts those that have not, and closes the store. */
  close(graceMs: number): Promise<void>;
}

/** Connections for which there is no place, and which are told so instead of being cut off. */
const spareConnections = 256;

/** Opens the store and serves it. What was opened is closed again, in reverse order, when a later step fails. */
export async function startServer(options: ServerOptions, log: Log): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack();
  const { durability, quota } = options;
  const clock = systemClock;
  const access = await WatchedAccess.open(options.access, clock, log);
  opened.defer(() => access.close());
  const accessLog = options.accessLog === undefined ? undefined : await AccessLog.open(options.accessLog, clock, log);
  if (accessLog !== undefined) opened.defer(() => accessLog.close());
  const cache = await openCache(options.store, { durability, quota, clock, log });
  opened.defer(() => cache.close());
  const { store } = cache;
  const uploads = new Uploads(clock);
  opened.defer(() => uploads.stop());
  const origin = openOrigin(options, store, log);
  opened.defer(() => origin?.close());

  const rooms = options.instances.map((name) => tenant(name, cache, options.services));
  const tenants = tenantsOf(rooms.map((each) => each.tenant));
  const catalogues = cataloguesOf(rooms.map((each) => each.catalogue));
  const readiness = new Readiness();
  const calls = new CallStats();
  const admission = new Admission(boundsOf(options));
  const places = new ConnectionPlaces(admission);
  const authenticate = places.before(access.authenticate);
  const rpc: RpcServer = new RpcServer({
    services: servicesOf({ ...options, part: options.services, tenants, uploads, admission, readiness, origin }),
    http: (request) => http(request),
    authenticate,
    gate: { enter: (call) => (isHealthCheck(call.method) ? nowhere : admission.call(call.peer, call.caller)) },
    observer: accessLog === undefined ? calls : new BothObservers(calls, accessLog),
    log,
  });
  const metrics = serverMetrics({
    calls,
    origin,
    usage: () => store.usage(),
    connections: () => rpc.connections(),
    admission,
  });
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
  const cacheAndPages =
    options.services === "index" ? operatorPages : httpCache({ ...options, tenants, admission }, operatorPages);
  // What a path of the API names may look like one of the HTTP cache's.
  const doors = api({ catalogues, version: options.version, log }, cacheAndPages);
  const visits = identified(doors, admission, openPaths);
  const http = accessLog === undefined ? visits : logged(visits, accessLog);
  const http1 = new Http1(http, authenticate, log);
  for (const config of withSockets(options.listeners, options.sockets ?? new Map(), log)) {
    const listener = await Listener.open(config, {
      rpc,
      http1,
      places,
      maxConnections: options.maxConnections + spareConnections,
      log,
    });
    opened.defer(() => listener.close());
    listeners.push(listener);
    if (options.access !== undefined && config.tls === undefined && !isLocalAddress(listener.address)) {
      log.warn({ address: listener.address }, "credentials that come by this listener are refused: it has no TLS");
    }
  }
  readiness.set(true);
  const parts = opened.move();
  return {
    listeners: listeners.map(running),
    usage: () => store.usage(),
    answers: () => storeAnswers(options.store, cache.refs),
    reload: async () => {
      // Each for itself: what is wrong with one keeps none of the others as it was.
      const parts = [...[access, ...listeners].map((part) => part.reload()), accessLog?.reopen()];
      await Promise.allSettled(parts);
      await Promise.all(parts);
    },
    close: async (graceMs) => {
      readiness.set(false);
      for (const listener of listeners) listener.close();
      await Promise.all([rpc.close(graceMs), http1.close(graceMs)]);
      await parts.disposeAsync();
    },
  };
}

/** One instance: its blobs, its names, the rules between them, and the view of them as artifacts. */
function tenant(name: string, { store, refs }: OpenCache, part: Part): { tenant: Tenant; catalogue: Catalogue } {
  const blobs = retryWhenFull(store.tenant(name));
  const closure = new Closure(blobs, () => store.removals());
  const indexOnly = part === "index";
  return {
    tenant: composeTenant(name, { blobs, refs, closure, clock: systemClock, indexOnly }),
    catalogue: new Catalogue({
      instance: name,
      artifacts: refs.artifacts,
      blobs,
      closure: indexOnly ? undefined : closure,
    }),
  };
}

function running({ address, config }: Listener): RunningListener {
  const { push, tls } = config;
  const clientCertificates = tls?.clientCertificates !== undefined && tls.clientAuth === "required";
  return { address, push, tls: tls !== undefined, clientCertificates };
}
