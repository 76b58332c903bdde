import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../../base/protobuf.ts";

/** A string as a field whose number is below 16; no bytes at all for the empty one. */
export function textField(field: number, text: string): Uint8Array {
  if (text === "") return new Uint8Array(0);
  const bytes = Buffer.from(text);
  const out = Buffer.allocUnsafe(1 + varintLength(bytes.length) + bytes.length);
  out[0] = tagOf(field, wireBytes);
  out.set(bytes, writeVarint(out, 1, bytes.length));
  return out;
}

/** What a server says of one blob: a google.rpc.Status without details. OK is 0. */
export interface BlobStatus {
  readonly code: number;
  readonly message: string;
}

export const okStatus: BlobStatus = { code: 0, message: "" };

const codeTag = tagOf(1, wireVarint);
const messageTag = tagOf(2, wireBytes);

/** A google.rpc.Status between two positions; its details are passed over. */
export function readStatus(bytes: Uint8Array, start: number, end: number): BlobStatus {
  if (start === end) return okStatus;
  const reader = new ProtobufReader(bytes, start, end);
  let code = 0;
  let message = "";
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === codeTag) code = reader.value;
    else if (tag === messageTag) message = reader.text();
  }
  return code === 0 ? okStatus : { code, message };
}

/** For an answer that no server means to give: as passing as what broke it. */
export function brokenAnswer(why: string, cause?: unknown): StillageError {
  return new StillageError("unavailable", `the server's answer is broken: ${why}`, {
    hint: "it was damaged on its way, or the server is at fault",
    ...(cause !== undefined && { cause }),
  });
}

/** Runs a decoder; what it finds broken is the server's fault. */
export function decodeAnswer<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof StillageError && error.code === "invalid") throw brokenAnswer(error.message, error);
    throw error;
  }
}
