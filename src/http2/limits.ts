import { minMaxFrameSize } from "./protocol.ts";

/** What a connection allows its client. */
export interface Http2Limits {
  /** Requests at a time: SETTINGS_MAX_CONCURRENT_STREAMS. Handlers of streams that the client has reset count until they end. */
  readonly maxConcurrentStreams: number;
  /** Decoded header list, counted as SETTINGS_MAX_HEADER_LIST_SIZE counts. */
  readonly maxHeaderListBytes: number;
  /** Payload of one frame: SETTINGS_MAX_FRAME_SIZE. */
  readonly maxFrameBytes: number;
  /** Body that a client may send on a new stream before it is granted more. */
  readonly streamWindowBytes: number;
  /** Body that may be on its way on all streams of a connection. */
  readonly connectionWindowBytes: number;
  /** From accepting a connection to its preface, and from our SETTINGS to their acknowledgement. */
  readonly handshakeMs: number;
  /** From the first frame of a header block to its last. */
  readonly headerBlockMs: number;
}

export const defaultHttp2Limits: Http2Limits = Object.freeze({
  // BuildStream's casd has up to 64 calls in flight, a Bazel client up to 100 on a connection. Each can bind memory.
  maxConcurrentStreams: 128,
  // gRPC clients allow 8 to 16 KiB of metadata; this leaves room for tokens.
  maxHeaderListBytes: 64 * 1024,
  // Larger ones gain nothing: payload is taken as it comes, whatever the frames.
  maxFrameBytes: minMaxFrameSize,
  // Small batches come whole without a round trip; a client with all its streams open binds 32 MiB at most.
  streamWindowBytes: 256 * 1024,
  // Beyond what a 10 Gb/s line holds in 10 ms. It is given back on receipt: memory is bounded by the streams' windows.
  connectionWindowBytes: 16 * 1024 * 1024,
  handshakeMs: 20_000,
  headerBlockMs: 10_000,
});
