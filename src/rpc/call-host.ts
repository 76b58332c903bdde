import type { Identify } from "../base/caller.ts";
import type { Log } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";
import type { RequestIds } from "../base/request-ids.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ConnectionMemory } from "./message-memory.ts";
import type { CallObserver } from "./observer.ts";
import type { Gate } from "./service.ts";

/** What a call needs of its connection and server. */
export interface CallHost {
  readonly peer: Peer;
  readonly identify: Identify;
  readonly gate: Gate | undefined;
  readonly log: Log;
  readonly ids: RequestIds;
  readonly observer: CallObserver | undefined;
  readonly memory: ConnectionMemory;
  /** For what compressed messages become. */
  readonly expansions: ConnectionMemory;
  readonly deadlines: Deadlines;
  now(): number;
  /** grpc-timeout in milliseconds. */
  timeoutOf(value: string): number | undefined;
  /** Whether more of this connection's responses is unread or being made than memory is good for. */
  readonly congested: boolean;
  /** Whether enough waits to be sent to keep the connection busy: then no stream need have more than one message ready. */
  readonly saturated: boolean;
  /** Calls `start` once the connection is not congested any more. */
  holdBack(call: Startable): void;
  /** The call that was held back is over. */
  letGo(call: Startable): void;
  /** A handler runs: it counts until it ends, whatever becomes of its stream. */
  handlerStarted(): void;
  handlerEnded(): void;
  /** A response of about `bytes` is being made: it counts like one that waits to be read. */
  replyExpected(bytes: number): void;
  /** The response is queued, or never will be. */
  replyMade(bytes: number): void;
}

/** A call that is ready for its handler. */
export interface Startable {
  start(): void;
}
