/** The numbers of RFC 9113: frame types (section 6), flags, error codes (7), settings (6.5.2). */
export const frameType = Object.freeze({
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
});

export const flag = Object.freeze({ endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 });

export const errorCode = Object.freeze({
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
});

export const setting = Object.freeze({
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
});

/** What a client sends first (section 3.4). */
export const clientPreface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const frameHeaderBytes = 9;

/** Flow-control windows before anybody has said otherwise (section 6.9.2). */
export const defaultWindow = 65_535;

export const maxWindow = 0x7fff_ffff;

/** The smallest and largest SETTINGS_MAX_FRAME_SIZE. */
export const minMaxFrameSize = 16_384;
export const maxMaxFrameSize = 0xff_ffff;

/** What ends a whole connection: sent to the peer in a GOAWAY. */
export class ConnectionError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "ConnectionError";
    this.code = code;
  }
}
