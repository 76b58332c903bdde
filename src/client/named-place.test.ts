import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { artifact, contentOf, freshDirectory, listed, signal } from "./local/local-place.fixture.ts";
import { openLocalCache } from "./local/open-local-cache.ts";
import { type NamedPlace, namedPlace } from "./named-place.ts";

const known = { cacheDirectory: "/c", artifactDirectory: "/c/artifacts", remotes: [], named: [] };

describe("the directory of a cache of BuildStream", () => {
  const cacheAt = (directory: string): NamedPlace => namedPlace(directory, known);
  const local = (directory: string, artifacts: string): NamedPlace => ({ kind: "local cache", directory, artifacts });

  test("of 1.x is an artifactdir, whose artifacts are found in it", async () => {
    await using at = await freshDirectory();
    const named = await artifact();
    const of1 = { ...named, generation: "1.x", message: undefined } as const;
    {
      await using cache = await openLocalCache(at.path, at.path);
      await cache.index.publish(of1, contentOf(named), signal);
    }
    assert.deepEqual(cacheAt(at.path), local(at.path, at.path));
    await using cache = await openLocalCache(at.path, at.path);
    assert.deepEqual(await listed(cache, "os", "*", ""), ["os/app 12 1.x"]);
    // Also beside what came from other generations.
    await cache.index.publish(named, contentOf(named), signal);
    assert.deepEqual(cacheAt(at.path), local(at.path, at.path));
  });

  test("of 1.x as it is by default is in that of later releases", async () => {
    await using at = await freshDirectory();
    const artifacts = join(at.path, "artifacts");
    await mkdir(join(artifacts, "cas/refs/heads"), { recursive: true });
    assert.deepEqual(cacheAt(artifacts), local(at.path, artifacts));
    assert.deepEqual(cacheAt(at.path), local(at.path, artifacts));
  });

  test("of later releases has artifacts in it, also where it has a folder for refs of 1.x", async () => {
    await using at = await freshDirectory();
    await mkdir(join(at.path, "cas/refs/heads"), { recursive: true });
    await mkdir(join(at.path, "artifacts/refs"), { recursive: true });
    assert.deepEqual(cacheAt(at.path), local(at.path, join(at.path, "artifacts")));
  });
});

test("what is no place is told apart", async () => {
  await using at = await freshDirectory();
  await writeFile(join(at.path, "file"), "");
  for (const [text, message, hint] of [
    ["new", /^"new" is no place .*: there is no directory \S+\/new, and no remote of that name$/, /--cache new$/],
    ["x.tar.gz", /: archives of artifacts are tar files that are not compressed$/, /ends in \.tar, and compress/],
    ["x.zip", /: archives of artifacts are tar files that are not compressed$/, /ends in \.tar/],
    ["file", /: it is a file, and not called \.tar$/, /^a place is/],
    ["lokal", /: there is no directory/, /^did you mean local\?$/],
  ] as const) {
    assert.throws(
      () => namedPlace(text, known, at.path),
      (error: Error & { code: string; hint: string }) => {
        assert.match(error.message, message);
        assert.match(error.hint, hint);
        return error.code === "invalid";
      },
    );
  }
});
