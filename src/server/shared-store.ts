import { chmod } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";
import { isInUse } from "../store/disk/directory-lock.ts";
import { type RunningServer, startServer } from "./app.ts";
import { ConnectionForwarder } from "./connection-forwarder.ts";
import { Listener, type ListenerConfig } from "./listener.ts";
import { maxSocketPath } from "./receive-socket.ts";
import type { RunningListener, ServerOptions } from "./server-options.ts";

type Part = Pick<RunningServer, "listeners" | "reload" | "close"> & Partial<Pick<RunningServer, "answers">>;

/** How long a process that has the store may take until it listens, or until it has ended. */
const patienceMs = 20_000;
const pauseMs = 100;

const ownerOnly = 0o600;

/**
 * Serves a store together with other processes that do the same, each on its own addresses. The first has the store, and listens at two
 * Unix sockets in its directory as well; the others hand their connections to it, and one of them takes its place when it ends.
 * Only processes of the same user reach those sockets. Quota and services are those of the process that has the store. Where the
 * directory's path is too long for sockets, or another program has it, the others are refused. Errors: those of `startServer`.
 */
export async function startSharing(options: ServerOptions, log: Log): Promise<Part> {
  const store = new SharedStore(options, log);
  await store.begin(options.listeners);
  return store;
}

class SharedStore implements Part {
  private readonly options: ServerOptions;
  private readonly log: Log;
  private readonly pullSocket: string;
  private readonly pushSocket: string;
  private readonly sockets: readonly ListenerConfig[];
  private part: Part | undefined;
  private changing: Promise<void> | undefined;
  private closed = false;

  constructor(options: ServerOptions, log: Log) {
    this.options = options;
    this.log = log;
    this.pullSocket = join(options.store, "pull.socket");
    this.pushSocket = join(options.store, "push.socket");
    const fits = Buffer.byteLength(this.pushSocket) <= maxSocketPath;
    this.sockets = fits ? [listenAt(this.pullSocket, false), listenAt(this.pushSocket, true)] : [];
  }

  get listeners(): readonly RunningListener[] {
    return this.part?.listeners ?? [];
  }

  async reload(): Promise<void> {
    await this.part?.reload();
  }

  /** Where the store is another process's, that process answers for it. */
  async answers(): Promise<void> {
    await this.part?.answers?.();
  }

  async close(graceMs: number): Promise<void> {
    this.closed = true;
    await this.changing;
    await this.part?.close(graceMs);
  }

  /** Becomes one or the other: has the store, or hands connections to the process that has it. */
  async begin(listeners: readonly ListenerConfig[]): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        this.part = await this.haveStore(listeners);
        return;
      } catch (error) {
        if (!isInUse(error) || this.sockets.length === 0) throw error;
        if (await answers(this.pullSocket)) {
          this.part = await this.forward(listeners);
          return;
        }
        if (performance.now() > deadline) throw error;
      }
      await delay(pauseMs);
    }
  }

  private async haveStore(listeners: readonly ListenerConfig[]): Promise<Part> {
    const server = await startServer({ ...this.options, listeners: [...listeners, ...this.sockets] }, this.log);
    for (const { address } of this.sockets) await chmod(address.slice("unix:".length), ownerOnly);
    return { ...server, listeners: server.listeners.slice(0, listeners.length) };
  }

  private async forward(configs: readonly ListenerConfig[]): Promise<Part> {
    const socketFor = ({ push }: Peer): string => (push ? this.pushSocket : this.pullSocket);
    const forwarder = new ConnectionForwarder(socketFor, () => this.takePlace(), this.log);
    const listeners: Listener[] = [];
    try {
      const { maxConnections } = this.options;
      const targets = { rpc: forwarder, http1: forwarder, maxConnections, log: this.log };
      for (const config of configs) listeners.push(await Listener.open(config, targets));
    } catch (error) {
      for (const listener of listeners) listener.close();
      throw error;
    }
    const { quota, services } = this.options;
    this.log.info(
      { store: this.options.store, quota, services },
      "another process has the store; its quota and services hold",
    );
    return {
      listeners: listeners.map(({ address, config: { push, tls } }) => ({
        address,
        push,
        tls: tls !== undefined,
        clientCertificates: tls?.clientCertificates !== undefined,
      })),
      reload: async () => {
        for (const listener of listeners) await listener.reload();
      },
      close: async (graceMs) => {
        for (const listener of listeners) listener.close();
        await forwarder.close(graceMs);
      },
    };
  }

  /** The process that had the store has gone. A rejection ends this one: it can no longer serve anybody. */
  private takePlace(): void {
    if (this.closed || this.changing !== undefined) return;
    this.log.info({ store: this.options.store }, "the process that had the store has ended");
    this.changing = this.beginAnew().finally(() => {
      this.changing = undefined;
    });
  }

  private async beginAnew(): Promise<void> {
    const listeners = this.options.listeners.map((config, i) => ({
      ...config,
      address: this.listeners[i]?.address ?? config.address,
    }));
    await this.part?.close(0);
    await this.begin(listeners);
    this.log.info({ listeners: this.listeners }, "serving again");
  }
}

function listenAt(socket: string, push: boolean): ListenerConfig {
  return { address: `unix:${socket}`, push, tls: undefined };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
