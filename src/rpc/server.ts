import type { Socket } from "node:net";
import type { Authenticate } from "../base/caller.ts";
import type { Log } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";
import { RequestIds } from "../base/request-ids.ts";
import type { HttpHandler } from "../http/exchange.ts";
import { Deadlines } from "./deadlines.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { MessageMemory } from "./message-memory.ts";
import type { CallObserver } from "./observer.ts";
import { routesOf } from "./router.ts";
import { ServerConnection, type Shared } from "./server-connection.ts";
import type { Gate, Service } from "./service.ts";

/** How often connections are looked at for clients that are overdue. */
const checkMs = 5000;

/** Clients that are gone without a word are found out by TCP after this time of silence, and some tries. */
const keepAliveMs = 60_000;

/** How long handlers may take to notice that their calls were cut. */
const cutMs = 5000;

export interface RpcServerOptions {
  readonly services: readonly Service[];
  /** What answers requests that are no gRPC calls; without it they get a 415. */
  readonly http?: HttpHandler;
  readonly authenticate: Authenticate;
  readonly gate?: Gate;
  readonly observer?: CallObserver;
  readonly log: Log;
  /** Names its requests; another name for those of each server, unless given. */
  readonly ids?: RequestIds;
  readonly limits?: Partial<Limits>;
}

/** gRPC and HTTP over HTTP/2, on connections that somebody else accepts. */
export class RpcServer {
  private readonly shared: Shared;
  private readonly open = new Set<ServerConnection>();
  private readonly deadlines: Deadlines;
  private readonly timer: NodeJS.Timeout;
  private handlers = 0;
  private closing = false;
  private onIdle: (() => void) | undefined;

  constructor(options: RpcServerOptions) {
    const { services, http, authenticate, gate, observer, log, ids = new RequestIds(), limits: changed } = options;
    const limits = { ...defaultLimits, ...changed };
    const now = (): number => performance.now();
    this.deadlines = new Deadlines(now);
    this.shared = {
      routes: routesOf(services, limits.maxRequestBytes),
      http,
      authenticate,
      gate,
      observer,
      log,
      ids,
      limits,
      memory: new MessageMemory(limits.requestMemoryBytes),
      expansions: new MessageMemory(limits.expandedMemoryBytes),
      deadlines: this.deadlines,
      now,
      responseShare: () => limits.responseMemoryBytes / this.open.size,
      handlerStarted: () => {
        this.handlers++;
      },
      handlerEnded: () => {
        this.handlers--;
        this.checkIdle();
      },
    };
    this.timer = setInterval(() => this.check(), checkMs);
    this.timer.unref();
  }

  /** Serves a connected socket, from which nothing was read but `head`. */
  accept(socket: Socket, peer: Peer, head?: Uint8Array): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    const connection = new ServerConnection(socket, peer, this.shared, (closed) => {
      this.open.delete(closed);
      this.checkIdle();
    });
    this.open.add(connection);
    connection.http2.start(head);
  }

  connections(): number {
    return this.open.size;
  }

  /** Takes no new calls; those that run may end within the grace time, and are cut then. Resolves when all is quiet. */
  async close(graceMs: number): Promise<void> {
    this.closing = true;
    for (const connection of this.open) connection.http2.drain();
    if (!(await this.idleWithin(graceMs))) {
      for (const connection of this.open) connection.http2.destroy();
      await this.idleWithin(cutMs);
    }
    clearInterval(this.timer);
    this.deadlines.close();
  }

  /** Whether connections and handlers end in that time. */
  private idleWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.onIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
      this.checkIdle();
    });
  }

  private checkIdle(): void {
    if (this.open.size === 0 && this.handlers === 0) this.onIdle?.();
  }

  private check(): void {
    for (const { http2 } of this.open) http2.check();
    this.shared.memory.check();
  }
}
