import { WatchedAccess } from "../access/watched-access.ts";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { RequestIds } from "../base/request-ids.ts";
import type { Limits } from "../rpc/limits.ts";
import { RpcServer } from "../rpc/server.ts";
import { Admission, boundsOf, nowhere } from "./admission.ts";
import { ConnectionPlaces } from "./connection-places.ts";
import { isHealthCheck } from "./grpc/health.ts";
import { api } from "./http/api.ts";
import { httpCache } from "./http/cache.ts";
import { Http1 } from "./http/http1.ts";
import { ostreeCache } from "./http/ostree.ts";
import { ostreePush } from "./http/ostree-push.ts";
import { openPaths, pages } from "./http/pages.ts";
import { releases } from "./http/releases.ts";
import { identified, named } from "./http-visitors.ts";
import { isLocalAddress } from "./listen-address.ts";
import { Listener, type ListenerConfig } from "./listener.ts";
import { doorFamilies } from "./metrics/door-metrics.ts";
import { Traffic } from "./metrics/traffic.ts";
import { Readiness } from "./readiness.ts";
import { withSecret } from "./receive-socket.ts";
import { roomsOf } from "./rooms.ts";
import type { RunningListener, ServerOptions } from "./server-options.ts";
import { servicesOf } from "./services.ts";
import type { Stock } from "./stock.ts";
import { openTracing } from "./tracing/tracing.ts";
import { Watchers } from "./watchers.ts";

/** The protocol side of a server, or of one of its threads. */
export interface DoorSide {
  readonly listeners: readonly RunningListener[];
  /** Takes certificates, keys and rights as they are on disk now. Errors: `failed-precondition`; the old ones stay then. */
  reload(): Promise<void>;
  /** Takes nothing new, lets running calls end for `graceMs`, and cuts those that have not. */
  close(graceMs: number): Promise<void>;
}

export interface DoorSharing {
  /** Other sockets have the same addresses: the kernel gives each its part of the connections. */
  readonly shared?: boolean;
  /** Of what is bounded in memory, this one's part. */
  readonly limits?: Partial<Limits>;
}

/** Connections for which there is no place, and which are told so instead of being cut off. */
const spareConnections = 256;

/** Opens everything between the network and the stock. What was opened is closed again, in reverse order, when a later step fails. */
export async function openDoors(
  options: ServerOptions,
  stock: Stock,
  log: Log,
  { shared = false, limits = {} }: DoorSharing = {},
): Promise<DoorSide> {
  await using opened = new AsyncDisposableStack();
  const tracing = openTracing(options.version);
  opened.defer(() => tracing?.close());
  const access = await WatchedAccess.open(options.access, systemClock, log);
  opened.defer(() => access.close());
  const { uploads, origin, accessLog } = stock;
  const { tenants, catalogues } = roomsOf(options, stock, tracing);
  const readiness = new Readiness();
  const traffic = new Traffic(options.instances);
  const watchers = new Watchers({ traffic, accessLog, tracing });
  const ids = new RequestIds();
  const admission = new Admission(boundsOf(options), stock.counts);
  const places = new ConnectionPlaces(admission);
  const authenticate = places.before(withSecret(access.authenticate));
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
    limits,
  });
  stock.meters.add([...traffic.families, ...doorFamilies({ connections: () => rpc.connections(), admission })]);
  const others = [
    ...(options.services === "index" ? [] : ["/ac", "/cas", "/ostree"]),
    ...(options.releases === undefined ? [] : ["/releases/"]),
    "/api/v1",
  ];
  const operatorPages = pages({ readiness, metrics: () => stock.metrics(), status: () => stock.status(), others });
  // These are of blobs, which an index alone has not.
  const parts = { ...options, tenants, admission, commits: stock.commits, log };
  const cacheAndPages =
    options.services === "index"
      ? operatorPages
      : ostreePush(parts, ostreeCache(parts, httpCache(parts, operatorPages)));
  // What a path of the API names may look like one of the HTTP cache's.
  const doors = api({ catalogues, version: options.version, log }, releases(options, cacheAndPages));
  const http = watchers.http(named(identified(doors, admission, openPaths)));
  const http1 = new Http1(http, authenticate, ids, log);
  const listeners: Listener[] = [];
  for (const config of options.listeners) {
    const maxConnections = options.maxConnections + spareConnections;
    const opening = Listener.open(config, { rpc, http1, places, maxConnections, shared, log });
    const listener = await (config.receive?.wanted === false ? opening.catch(withoutIt(config, log)) : opening);
    if (listener === undefined) continue;
    opened.defer(() => listener.close());
    listeners.push(listener);
    if (options.access !== undefined && config.tls === undefined && !isLocalAddress(listener.address)) {
      log.warn({ address: listener.address }, "credentials that come by this listener are refused: it has no TLS");
    }
  }
  readiness.set(true);
  const moved = opened.move();
  return {
    listeners: listeners.filter(({ config }) => config.receive === undefined).map(running),
    reload: async () => {
      // Each for itself: what is wrong with one keeps none of the others as it was.
      const reloads = [access, ...listeners].map((part) => part.reload());
      await Promise.allSettled(reloads);
      await Promise.all(reloads);
    },
    close: async (graceMs) => {
      readiness.set(false);
      for (const listener of listeners) listener.close();
      await Promise.all([rpc.close(graceMs), http1.close(graceMs)]);
      await moved.disposeAsync();
    },
  };
}

/** What becomes of a listener that a server can do without. */
function withoutIt({ address }: ListenerConfig, log: Log): (error: unknown) => undefined {
  return (error) => {
    log.warn({ address, reason: (error as Error).message }, "nobody can push over ssh: there is no socket for it");
    return undefined;
  };
}

function running({ address, config }: Listener): RunningListener {
  const { push, tls } = config;
  const clientCertificates = tls?.clientCertificates !== undefined && tls.clientAuth === "required";
  return { address, push, tls: tls !== undefined, clientCertificates };
}
