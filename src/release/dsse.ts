import { StillageError } from "../base/errors.ts";

/** A signed message: DSSE 1.0.2, envelope.md. */
export interface Envelope {
  /** How the payload is to be read: a media type or URI, signed with it. */
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

export interface EnvelopeSignature {
  /** Which key may have made it: a hint that is not signed, good for nothing but choosing the keys to try. Empty for none. */
  readonly keyid: string;
  readonly sig: Uint8Array;
}

/** The payload type of an in-toto Statement as JSON (in-toto attestation framework 1, envelope.md). */
export const statementPayloadType = "application/vnd.in-toto+json";

/** A statement about ten thousand sources is 3 MB; base64 adds a third. */
export const maxEnvelopeBytes = 16 << 20;

/** More signers than any release has; each costs a verification by each key. */
const maxSignatures = 64;

/** The bytes that are signed: PAE(type, body) of DSSE 1.0.2, protocol.md. Lengths are those of the bytes. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The envelope as a JSON text that ends with a newline: the same envelope always gives the same bytes. */
export function encodeEnvelope({ payloadType, payload, signatures }: Envelope): Uint8Array {
  const json = {
    payloadType,
    payload: Buffer.from(payload).toString("base64"),
    signatures: signatures.map(({ keyid, sig }) => ({
      ...(keyid === "" ? {} : { keyid }),
      sig: Buffer.from(sig).toString("base64"),
    })),
  };
  return Buffer.from(`${JSON.stringify(json)}\n`);
}

/** Reads a JSON envelope; fields that are not known are skipped, as the specification demands. Errors: `invalid`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > maxEnvelopeBytes) throw notEnvelope(`it is larger than ${maxEnvelopeBytes} bytes`);
  const json = object(parse(bytes), "it");
  const { payloadType, payload, signatures } = json;
  if (typeof payloadType !== "string") throw notEnvelope("payloadType is not a text");
  if (!Array.isArray(signatures)) throw notEnvelope("signatures is not a list");
  if (signatures.length > maxSignatures) throw notEnvelope(`it has more than ${maxSignatures} signatures`);
  return {
    payloadType,
    payload: fromBase64(payload, "payload"),
    signatures: signatures.map((each: unknown, i) => {
      const { keyid, sig } = object(each, `signatures[${i}]`);
      if (keyid !== undefined && keyid !== null && typeof keyid !== "string") {
        throw notEnvelope(`signatures[${i}].keyid is not a text`);
      }
      return { keyid: keyid ?? "", sig: fromBase64(sig, `signatures[${i}].sig`) };
    }),
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw notEnvelope("it is not JSON", error);
  }
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw notEnvelope(`${what} is not an object`);
  return value as Record<string, unknown>;
}

/** Standard or URL-safe base64, one of the two; padding may be left out. */
function fromBase64(value: unknown, what: string): Uint8Array {
  if (typeof value !== "string") throw notEnvelope(`${what} is not a text`);
  const bare = value.replace(/={1,2}$/, "");
  const padded = bare.length !== value.length;
  const alphabet = /^[A-Za-z0-9_-]*$/.test(bare) ? "base64url" : "base64";
  const bytes = Buffer.from(bare, alphabet);
  const again = bytes.toString("base64").replace(/=+$/, "");
  const standard = bare.replaceAll("-", "+").replaceAll("_", "/");
  const mixed = alphabet === "base64" && /[-_]/.test(bare);
  if (again !== standard || mixed || (padded && value.length % 4 !== 0)) throw notEnvelope(`${what} is not base64`);
  return bytes;
}

function notEnvelope(why: string, cause?: unknown): StillageError {
  return new StillageError("invalid", `this is no DSSE envelope: ${why}`, cause === undefined ? {} : { cause });
}
