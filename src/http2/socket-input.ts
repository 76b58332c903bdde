import { Socket, type SocketConstructorOpts } from "node:net";

/** Taken by one read from a socket. All sockets share one buffer, because what it holds is used up before the next read. */
const readBytes = 256 * 1024;

const shared: Buffer = Buffer.allocUnsafeSlow(readBytes);

/** The handle of a plain TCP or Unix socket, which node:net keeps to itself. */
interface WithHandle {
  _handle: { useUserBuffer?: unknown } | null;
}

/**
 * Takes over the input of a connected socket: `take` gets what arrives, `bytes` up to `length`, good for the time of the call, once
 * the returned socket is resumed. That is the one to write to and to end, which can be another one than `socket`; both close together.
 *
 * Node reads into a fresh buffer of 64 KiB each time, unless a socket was made with `onread`, which is documented for clients
 * only. An upload costs less than half the processor time without those buffers, so plain sockets are made anew around the same handle.
 */
export function takeInput(socket: Socket, take: (bytes: Buffer, length: number) => void): Socket {
  const owned = rebuild(socket, take) ?? socket;
  if (owned === socket) socket.on("data", (bytes: Buffer) => take(bytes, bytes.length));
  return owned;
}

function rebuild(socket: Socket, take: (bytes: Buffer, length: number) => void): Socket | undefined {
  const outer = socket as unknown as WithHandle;
  const handle = outer._handle;
  if (socket.constructor !== Socket || typeof handle?.useUserBuffer !== "function") return undefined;
  const options = {
    handle,
    onread: {
      buffer: shared,
      callback: (length: number, bytes: Uint8Array): boolean => {
        take(bytes as Buffer, length);
        return true;
      },
    },
  };
  const inner = new Socket(options as unknown as SocketConstructorOpts);
  // The outer socket lives on for its server, which counts it until it closes.
  outer._handle = null;
  inner.once("close", () => socket.destroy());
  socket.once("close", () => inner.destroy());
  return inner;
}
