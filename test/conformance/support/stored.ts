import type { Server } from "../case.ts";
import { isThere, newBlob, type TestBlob, upload } from "./blobs.ts";
import { readAll, readName } from "./byte-stream.ts";
import { expectBytes, expectOk, expectTrue } from "./expect.ts";

/** A blob that is there. */
export async function stored(server: Server, blob: TestBlob = newBlob(1000)): Promise<TestBlob> {
  await upload(server, server.instance, [blob]);
  return blob;
}

export async function expectStored(server: Server, blob: TestBlob): Promise<void> {
  const read = readAll(server, { resourceName: readName(server.instance, blob.digest) });
  expectBytes(await expectOk(read, "Read of what was written"), blob.data, "Read of what was written");
}

export async function expectNotStored(server: Server, blob: TestBlob): Promise<void> {
  expectTrue(!(await isThere(server, server.instance, blob.digest)), "the refused blob was stored");
}
