import { WatchedAccess } from "../access/watched-access.ts";
import { Catalogue } from "../artifact/catalogue.ts";
import { cataloguesOf } from "../artifact/catalogues.ts";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { RequestIds } from "../base/request-ids.ts";
import { untraced } from "../base/trace.ts";
import { Closure } from "../cache/closure.ts";
import { type OpenCache, openCache } from "../cache/open-cache.ts";
import { composeTenant, type Tenant, tenantsOf } from "../cache/tenant.ts";
import { Uploads } from "../cache/uploads.ts";
import { RpcServer } from "../rpc/server.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { retryWhenFull } from "../store/wrap/retry-when-full.ts";
import { AccessLog } from "./access-log.ts";
import { Admission, boundsOf, type LimitSettings, nowhere } from "./admission.ts";
import { ConnectionPlaces } from "./connection-places.ts";
import { isHealthCheck } from "./grpc/health.ts";
import { api } from "./http/api.ts";
import { httpCache } from "./http/cache.ts";
import { Http1 } from "./http/http1.ts";
import { openPaths, pages } from "./http/pages.ts";
import { identified, named } from "./http-visitors.ts";
import { isLocalAddress } from "./listen-address.ts";
import { Listener, type ListenerConfig } from "./listener.ts";
import { Metrics } from "./metrics/metrics.ts";
import { originFamilies } from "./metrics/origin-metrics.ts";
import { serverFamilies } from "./metrics/server-metrics.ts";
import { storeFamilies } from "./metrics/store-metrics.ts";
import { Traffic } from "./metrics/traffic.ts";
import { type OriginSettings, openOrigin } from "./origin-options.ts";
import { Readiness } from "./readiness.ts";
import { type Part, servicesOf } from "./services.ts";
import { TracedClosure, tracedBlobs, tracedRefs } from "./tracing/traced-cache.ts";
import { openTracing, type Tracing } from "./tracing/tracing.ts";
import { Watchers } from "./watchers.ts";

/** What a server is made of. Sizes in bytes; paths absolute. */
export interface ServerOptions extends OriginSettings, LimitSettings {
  readonly store: string;
  readonly listeners: readonly ListenerConfig[];
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
  /** `HOST:PORT` or `unix:PATH` where it really listens. */
  readonly address: string;
  readonly tls: boolean;
  readonly push: boolean;
  readonly clientCertificates: boolean;
}

export interface RunningServer {
  readonly listeners: readonly RunningListener[];
  usage(): StoreUsage;
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
  const tracing = openTracing(options.version);
  opened.defer(() => tracing?.close());
  const access = await WatchedAccess.open(options.access, clock, log);
  opened.defer(() => access.close());
  const accessLog = options.accessLog === undefined ? undefined : await AccessLog.open(options.accessLog, clock, log);
  if (accessLog !== undefined) opened.defer(() => accessLog.close());
  const cache = await openCache(options.store, { durability, quota, clock, log });
  opened.defer(() => cache.close());
  const { store } = cache;
  const uploads = new Uploads(clock);
  opened.defer(() => uploads.stop());
  const origin = openOrigin(options, store, log, tracing?.trace ?? untraced);
  opened.defer(() => origin?.close());

  const rooms = options.instances.map((name) => tenant(name, cache, options.services, tracing));
  const tenants = tenantsOf(rooms.map((each) => each.tenant));
  const catalogues = cataloguesOf(rooms.map((each) => each.catalogue));
  const readiness = new Readiness();
  const traffic = new Traffic(options.instances);
  const watchers = new Watchers({ traffic, accessLog, tracing });
  const ids = new RequestIds();
  const admission = new Admission(boundsOf(options));
  const places = new ConnectionPlaces(admission);
  const authenticate = places.before(access.authenticate);
  const rpc: RpcServer = new RpcServer({
    services: watchers.services(
      servicesOf({ ...options, part: options.services, tenants, uploads, admission, readiness, origin }),
    ),
    http: (request) => http(request),
    authenticate,
    gate: { enter: (call) => (isHealthCheck(call.method) ? nowhere : admission.call(call.peer, call.caller)) },
    observer: watchers.observer,
    log,
    ids,
  });
  const facts = { ...options, admission, ready: () => readiness.ready, connections: () => rpc.connections() };
  const metrics = new Metrics([
    ...serverFamilies(facts),
    ...traffic.families,
    ...storeFamilies({ directory: options.store, usage: () => store.usage() }),
    ...originFamilies(origin),
  ]);
  const listeners: Listener[] = [];
  const started = clock();
  const operatorPages = pages({
    readiness,
    metrics: () => metrics.show(),
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
  const http = watchers.http(named(identified(doors, admission, openPaths)));
  const http1 = new Http1(http, authenticate, ids, log);
  for (const config of options.listeners) {
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
function tenant(
  name: string,
  cache: OpenCache,
  part: Part,
  tracing: Tracing | undefined,
): { tenant: Tenant; catalogue: Catalogue } {
  const { store } = cache;
  const refs = tracedRefs(cache.refs, tracing?.trace);
  const blobs = tracedBlobs(retryWhenFull(store.tenant(name)), tracing?.trace);
  const removals = (): number => store.removals();
  const closure =
    tracing === undefined ? new Closure(blobs, removals) : new TracedClosure(blobs, removals, tracing.trace);
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
