import { StillageError } from "../base/errors.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
import type { ByteSource } from "../base/tar/byte-source.ts";

/** What passes between BuildStream 1.0's pusher and its receiver, by the numbers of the types (pushreceive.py, PushCommandType). */
const types = ["info", "update", "putobjects", "status", "done"] as const;
export type PushMessageType = (typeof types)[number];

export interface PushMessage {
  readonly type: PushMessageType;
  readonly args: Dictionary;
}

/** The version of the protocol that BuildStream 1.0 to 1.1.3 speak. */
const version = 1;

const headerBytes = 5;
const maxBodyBytes = 0xffff;

const byteOrders: Readonly<Record<number, { readonly bigEndian: boolean }>> = {
  108: { bigEndian: false }, // l
  66: { bigEndian: true }, // B
};

/**
 * A message: the byte order of its numbers (`l` or `B`), the version, the type, the length of the rest in 16 bits, and an `a{sv}`. Errors: `invalid`
 * for arguments that are longer than 65,535 bytes.
 */
export function encodePushMessage({ type, args }: PushMessage): Uint8Array {
  const body = encode("a{sv}", args);
  if (body.length > maxBodyBytes) throw new StillageError("invalid", `a message has at most ${maxBodyBytes} bytes`);
  const header = Buffer.from([0x6c, version, types.indexOf(type), 0, 0]);
  header.writeUInt16LE(body.length, 3);
  return Buffer.concat([header, body]);
}

/** The next message; `undefined` where the stream has ended before it. Errors: `invalid` for what is none, `failed-precondition` for one that breaks off. */
export async function readPushMessage(source: ByteSource): Promise<PushMessage | undefined> {
  const taken = await source.take(headerBytes);
  if (taken === undefined) return undefined;
  const header = Buffer.from(taken);
  const order = byteOrders[header[0] as number];
  if (order === undefined) {
    throw new StillageError("invalid", "what came is no message of BuildStream's push protocol", {
      hint: "BuildStream 1.0 to 1.1.3 runs this program by itself, for a cache with an ssh:// URL",
    });
  }
  if (header[1] !== version) {
    throw new StillageError(
      "invalid",
      `the pusher speaks version ${header[1]} of the push protocol, and this is version ${version}`,
      {
        hint: "push with BuildStream 1.0 to 1.1.3; later ones push by gRPC, and OSTree branches are pushed with ostree-push",
      },
    );
  }
  const type = types[header[2] as number];
  if (type === undefined) throw new StillageError("invalid", `no message has the type ${header[2]}`);
  const length = order.bigEndian ? header.readUInt16BE(3) : header.readUInt16LE(3);
  const body = length === 0 ? new Uint8Array(0) : await source.take(length);
  if (body === undefined) throw new StillageError("failed-precondition", `the message ${type} breaks off`);
  return { type, args: decode("a{sv}", new Uint8Array(body), order) as Dictionary };
}
