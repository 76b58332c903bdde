import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { grpcConnection, http2Frame } from "../conformance/fuzz/connection.ts";
import { newBlob } from "../conformance/support/blobs.ts";
import { chunksOf, readName, writeName } from "../conformance/support/byte-stream.ts";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import type { Acknowledged } from "./corpus.ts";

/** Clients that nobody wants, until `signal`; whatever the server does to them is right, as long as it goes on with the others. */
export type Nuisance = (address: string, known: Acknowledged, signal: AbortSignal) => Promise<void>;

/** Asks for large blobs on many streams, and reads nothing of them. */
export const readsNothing: Nuisance = async (address, known, signal) => {
  while (!signal.aborted) {
    const session = connectHttp2(`http://${address}`);
    session.on("error", () => {});
    for (let i = 0; i < 20; i++) {
      const blob = known.pick(Math.random());
      if (blob === undefined) break;
      const stream = session.request({
        ":method": "POST",
        ":path": "/google.bytestream.ByteStream/Read",
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.on("error", () => {});
      const name = Buffer.from(readName("", blob.digest));
      const message = Buffer.concat([Uint8Array.of(0x0a, name.length & 0x7f), name]);
      stream.end(Buffer.concat([Uint8Array.of(0, 0, 0, 0, message.length), message]));
      stream.pause();
    }
    await pause(4000, signal);
    session.destroy();
  }
};

/** Begins uploads and goes away in the middle. */
export const breaksOff: Nuisance = async (address, _, signal) => {
  while (!signal.aborted) {
    const endpoint = openEndpoint(`grpc://${address}`);
    const blob = newBlob(randomInt(100_000, 3_000_000));
    const call = endpoint.byteStream.write();
    try {
      const messages = chunksOf(writeName("", blob.digest), blob.data, { size: 60_000 });
      for (const message of messages.slice(0, messages.length - 1)) await call.send(message);
    } catch {
      // It was cut from the other side.
    }
    await pause(randomInt(500), signal);
    endpoint.channel.destroy();
    await pause(500, signal);
  }
};

/** Sends what is no protocol: noise, noise behind a preface, frames that are broken or forbidden, half a request. */
export const talksNonsense: Nuisance = async (address, _, signal) => {
  const { hostname, port } = new URL(`tcp://${address}`);
  const whole = grpcConnection("grpc.health.v1.Health/Check", new Uint8Array(0));
  while (!signal.aborted) {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("error", () => {});
    socket.resume();
    const broken = Buffer.from(whole);
    for (let i = 0; i < 5; i++) broken[randomInt(24, broken.length)] = randomInt(256);
    const texts = [
      randomBytes(randomInt(1, 5000)),
      Buffer.concat([whole.subarray(0, 24), randomBytes(randomInt(1, 5000))]),
      Buffer.concat([
        whole.subarray(0, 24),
        http2Frame(4, 0, 0, new Uint8Array(0)),
        http2Frame(randomInt(20), randomInt(256), randomInt(9), randomBytes(randomInt(200))),
      ]),
      broken,
      whole.subarray(0, randomInt(1, whole.length)),
      Buffer.from("PUT /cas/abc HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nhalf"),
    ];
    socket.write(texts[randomInt(texts.length)] as Uint8Array);
    await pause(randomInt(1000), signal);
    if (!socket.destroyed) {
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
    }
  }
};

/** Sends short messages without end on a stream that takes one, and opens and resets streams. */
export const floods: Nuisance = async (address, _, signal) => {
  while (!signal.aborted) {
    const session = connectHttp2(`http://${address}`);
    session.on("error", () => {});
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Watch",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {});
    stream.resume();
    const empty = new Uint8Array(50_000);
    for (let i = 0; i < 50 && !stream.destroyed && !signal.aborted; i++) {
      stream.write(empty);
      await pause(20, signal);
    }
    for (let i = 0; i < 200 && !session.destroyed; i++) {
      const opened = session.request({ ":path": "/healthz" });
      opened.on("error", () => {});
      opened.close(8);
    }
    await pause(500, signal);
    session.destroy();
  }
};

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
