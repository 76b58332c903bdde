import { createHash } from "node:crypto";

/** A blob as the JSON form of the API's messages has it. */
export interface TestBlob {
  readonly digest: { readonly hash: string; readonly sizeBytes: string };
  /** Base64. */
  readonly data: string;
}

export function testBlob(content: string | Uint8Array): TestBlob {
  const bytes = Buffer.from(content);
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { digest: { hash, sizeBytes: String(bytes.length) }, data: bytes.toString("base64") };
}

/** A serialized Directory of one file: field 1, a FileNode of name (1) and digest (2: hash 1, size 2). For short names and small blobs. */
export function testDirectory(name: string, file: TestBlob): TestBlob {
  const digest = Buffer.concat([
    field(1, Buffer.from(file.digest.hash)),
    Buffer.from([0x10, Number(file.digest.sizeBytes)]),
  ]);
  return testBlob(field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, digest)])));
}

/** A length-delimited protobuf field shorter than 128 bytes. */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}
