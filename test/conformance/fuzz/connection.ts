import { once } from "node:events";
import { connect } from "node:net";

// The bytes of a connection, put together by hand, so that they can be broken.

export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A header field without indexing and without Huffman code (RFC 7541, section 6.2.2). */
function field(name: string, value: string): Buffer {
  return Buffer.concat([
    Uint8Array.of(0, name.length),
    Buffer.from(name),
    Uint8Array.of(value.length),
    Buffer.from(value),
  ]);
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A whole connection of a gRPC client with one call: preface, SETTINGS, HEADERS, DATA, PING, WINDOW_UPDATE. */
export function grpcConnection(method: string, message: Uint8Array): Buffer {
  const headers = [
    field(":method", "POST"),
    field(":scheme", "http"),
    field(":path", `/${method}`),
    field(":authority", "localhost"),
    field("content-type", "application/grpc"),
    field("te", "trailers"),
    field("grpc-timeout", "5S"),
  ];
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([
    preface,
    http2Frame(4, 0, 0, Uint8Array.of(0, 4, 0, 1, 0, 0)),
    http2Frame(8, 0, 0, Uint8Array.of(0, 1, 0, 0)),
    http2Frame(1, 4, 1, Buffer.concat(headers)),
    http2Frame(0, 1, 1, Buffer.concat([prefix, message])),
    http2Frame(6, 0, 0, new Uint8Array(8)),
    http2Frame(8, 0, 1, Uint8Array.of(0, 0, 1, 0)),
  ]);
}

export const http1Connection = Buffer.from(
  "GET /healthz?a=b HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);

/** Sends the bytes and says that no more follow; resolves when the server has closed the connection, too. */
export async function sendBytes(address: string, bytes: Uint8Array, timeoutMs: number): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname, port: Number(port) });
  // A reset is an end like any other.
  socket.on("error", () => {});
  socket.resume();
  socket.end(bytes);
  const closed = once(socket, "close", { signal: AbortSignal.timeout(timeoutMs) });
  try {
    await closed;
  } catch (error) {
    throw new Error(`the server kept the connection for more than ${timeoutMs} ms`, { cause: error });
  } finally {
    socket.destroy();
  }
}
