import { defaultHttp2Limits, type Http2Limits } from "../http2/limits.ts";

/** What a server allows its clients. */
export interface Limits extends Http2Limits {
  /** Length of a request message where the method does not say. */
  readonly maxRequestBytes: number;
  /** Memory for request messages that did not fit a stream's first window, of all connections together. */
  readonly requestMemoryBytes: number;
  /** Responses that wait for clients to read them, of all connections together, beyond which new calls wait. */
  readonly responseMemoryBytes: number;
}

export const defaultLimits: Limits = Object.freeze({
  ...defaultHttp2Limits,
  // The batch limit of most clients is 4 MiB of data; digests, names and framing come on top.
  maxRequestBytes: 4 * 1024 * 1024 + 64 * 1024,
  // Sixteen of the largest messages at a time; more wait for flow control. Keeps the process below 200 MiB.
  requestMemoryBytes: 64 * 1024 * 1024,
  // A client on a slow line that asks for everything at once gets its answers one after the other.
  responseMemoryBytes: 48 * 1024 * 1024,
});
