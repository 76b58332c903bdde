import type { ClientHttp2Session } from "node:http2";
import { Session } from "../../../src/rpc/client/session.ts";

// Calls over plain node:http2, for what a well-behaved gRPC client does not do.

export interface RawAnswer {
  readonly httpStatus: number | undefined;
  /** The trailer or header grpc-status; `undefined` where the stream was reset. */
  readonly status: string | undefined;
}

export interface RawOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sets the flag that says that the message is compressed. */
  readonly compressed?: boolean;
}

/** Opens a connection for as long as `use` takes. */
export async function withSession<T>(url: string, use: (session: ClientHttp2Session) => Promise<T>): Promise<T> {
  const { http2, socket } = new Session(url, {});
  try {
    return await use(http2);
  } finally {
    socket.destroy();
  }
}

/** Sends one message as it is, or none and no end of stream where it is `undefined`. */
export function rawCall(
  url: string,
  method: string,
  message: Uint8Array | undefined,
  { headers = {}, compressed = false }: RawOptions = {},
): Promise<RawAnswer> {
  return withSession(url, (session) => {
    const stream = session.request({
      ":method": "POST",
      ":path": `/${method}`,
      te: "trailers",
      "content-type": "application/grpc",
      ...headers,
    });
    if (message !== undefined) {
      const prefix = Buffer.alloc(5);
      prefix[0] = compressed ? 1 : 0;
      prefix.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([prefix, message]));
    }
    return new Promise<RawAnswer>((resolve) => {
      let httpStatus: number | undefined;
      let status: string | undefined;
      stream.on("response", (answer) => {
        httpStatus = answer[":status"];
        status = answer["grpc-status"]?.toString();
      });
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"]?.toString() ?? status;
      });
      stream.on("error", () => {});
      stream.on("end", () => resolve({ httpStatus, status }));
      stream.on("close", () => resolve({ httpStatus, status }));
      stream.resume();
    });
  });
}

/** Sends pings one after the other and gives the number that was answered. */
export function ping(url: string, count: number): Promise<number> {
  return withSession(url, async (session) => {
    const once = () =>
      new Promise<boolean>((resolve) => {
        session.once("close", () => resolve(false));
        if (!session.ping((error) => resolve(error === null))) resolve(false);
      });
    await new Promise<void>((resolve) => session.once("connect", () => resolve()).once("close", () => resolve()));
    session.setMaxListeners(0);
    let answered = 0;
    while (answered < count && (await once())) answered++;
    return answered;
  });
}
