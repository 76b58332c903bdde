import { defaultHttp2Limits, type Http2Limits } from "../http2/limits.ts";

/** What a server allows its clients. */
export interface Limits extends Http2Limits {
  /** Length of a request message where the method does not say. */
  readonly maxRequestBytes: number;
  /** Memory for request messages that did not fit a stream's first window, of all connections together. */
  readonly requestMemoryBytes: number;
  /** Memory for what compressed request messages become, of all connections together. */
  readonly expandedMemoryBytes: number;
  /** Responses being made or waiting for clients to read them, of all connections together, beyond which new calls wait. */
  readonly responseMemoryBytes: number;
  /** How long a plain request's answer waits for the rest of a body that nobody listens to. */
  readonly unheardBodyMs: number;
}

export const defaultLimits: Limits = Object.freeze({
  ...defaultHttp2Limits,
  // The batch limit of most clients is 4 MiB of data; digests, names and framing come on top.
  maxRequestBytes: 4 * 1024 * 1024 + 64 * 1024,
  // Eight of the largest messages at a time, and as much again for connections that have none; more wait for flow control. Keeps the process below
  // 200 MiB, and below 300 with hundreds of clients.
  requestMemoryBytes: 32 * 1024 * 1024,
  // Few clients compress at all. A share is what the message says it becomes, so calls with short ones hardly ever wait.
  expandedMemoryBytes: 32 * 1024 * 1024,
  // A client on a slow line that asks for everything at once gets its answers one after the other.
  responseMemoryBytes: 24 * 1024 * 1024,
  // What fits a stream's window comes in less on all but the slowest lines, and a server that stops does not wait long.
  unheardBodyMs: 5000,
});
