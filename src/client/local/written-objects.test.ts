import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { freshDirectory, textBlob } from "./local-place.fixture.ts";
import { WrittenObjects } from "./written-objects.ts";

test("what the disk has failed with once is not forgotten, and what it failed with comes again", async () => {
  await using at = await freshDirectory();
  const [whole, broken] = ["whole", "broken"].map((text) => {
    const { hash } = textBlob(text).digest;
    return { hash, folder: join(at.path, hash.slice(0, 2)), path: join(at.path, hash.slice(0, 2), hash.slice(2)) };
  }) as [Entry, Entry];
  await mkdir(whole.folder);
  await writeFile(whole.path, "whole");
  await mkdir(broken.folder);
  // What cannot be synced.
  await symlink("/dev/null", broken.path);
  const written = new WrittenObjects(at.path);
  written.add(whole.hash);
  await written.sync();
  written.add(whole.hash);
  written.add(broken.hash);
  await assert.rejects(written.sync(), { message: /waiting for the disk/ });
  assert.deepEqual([existsSync(whole.path), existsSync(broken.path)], [true, false]);
  await assert.rejects(written.sync(), { message: /waiting for the disk/ });
  written.add(whole.hash);
  await assert.rejects(written.sync(), { message: /waiting for the disk/ });
});

interface Entry {
  readonly hash: string;
  readonly folder: string;
  readonly path: string;
}
