import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { ostree, sha512 } from "../base/digest-function.ts";
import { blob } from "../store/blob-store.contract.ts";
import { verifyFile } from "./verify-shelf.ts";

const folder = mkdtempSync(join(tmpdir(), "stillage-verify-"));
after(() => rmSync(folder, { recursive: true }));

for (const fn of [sha512, ostree]) {
  it(`tells a large blob from a damaged one, ${fn.name}`, async () => {
    const { digest, bytes } = blob(fn, 3_000_000);
    const path = join(folder, `${digest.hash}.1`);
    let read = 0;
    const verify = (): Promise<boolean> =>
      verifyFile(path, fn, new AbortController().signal, (count) => {
        read += count;
      });
    writeFileSync(path, bytes);
    assert.deepEqual([await verify(), read], [true, bytes.length]);
    const turned = Buffer.from(bytes);
    turned[2_000_000] = (turned[2_000_000] as number) ^ 1;
    for (const damaged of [turned, bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.alloc(10)]) {
      writeFileSync(path, damaged);
      assert.equal(await verify(), false);
    }
  });
}
