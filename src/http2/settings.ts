import { ConnectionError, errorCode, maxMaxFrameSize, maxWindow, minMaxFrameSize, setting } from "./protocol.ts";

/** What a client's SETTINGS say of how to send to it; `undefined` where they say nothing. */
export interface ClientSettings {
  readonly initialWindow: number | undefined;
  readonly maxFrame: number | undefined;
}

/** Reads the payload of a SETTINGS frame: RFC 9113, section 6.5. Throws a ConnectionError. */
export function readSettings(bytes: Buffer, start: number, end: number): ClientSettings {
  if ((end - start) % 6 !== 0) throw new ConnectionError(errorCode.frameSizeError, "SETTINGS of an odd length");
  let initialWindow: number | undefined;
  let maxFrame: number | undefined;
  for (let at = start; at < end; at += 6) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case setting.enablePush:
        if (value > 1) throw new ConnectionError(errorCode.protocolError, "SETTINGS_ENABLE_PUSH is neither 0 nor 1");
        break;
      case setting.initialWindowSize:
        if (value > maxWindow)
          throw new ConnectionError(errorCode.flowControlError, "SETTINGS_INITIAL_WINDOW_SIZE is too large");
        initialWindow = value;
        break;
      case setting.maxFrameSize:
        if (value < minMaxFrameSize || value > maxMaxFrameSize) {
          throw new ConnectionError(errorCode.protocolError, "SETTINGS_MAX_FRAME_SIZE is out of range");
        }
        maxFrame = value;
        break;
      default: // unknown, or about what we do not use: a dynamic table, streams of our own, the size of headers
    }
  }
  return { initialWindow, maxFrame };
}
