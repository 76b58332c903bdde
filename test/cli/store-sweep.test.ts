import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { newBlob, type TestBlob, upload } from "../conformance/support/blobs.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { newFolder } from "./support/folder.ts";
import { type Outcome, run, serve } from "./support/programs.ts";

const sizes = [1000, 20_000, 300_000];

async function pushAll(endpoint: Endpoint): Promise<TestBlob[]> {
  const blobs = sizes.map((size) => newBlob(size));
  await upload(endpoint, "team", blobs);
  const [asset, output] = blobs as [TestBlob, TestBlob, TestBlob];
  const instanceName = "team";
  const expired = { seconds: BigInt(Math.floor(Date.now() / 1000) + 1), nanos: 0 };
  await endpoint.push.pushBlob({
    instanceName,
    uris: ["https://example.com/a"],
    blobDigest: asset.digest,
    expireAt: expired,
  });
  const actionResult = { outputFiles: [{ path: "out", digest: output.digest }] };
  await endpoint.actionCache.updateActionResult({ instanceName, actionDigest: newBlob().digest, actionResult });
  return blobs;
}

interface Stats {
  readonly bytes: number;
  readonly quota: number | null;
  readonly lowMark: number | null;
  readonly instances: readonly {
    readonly instance: string;
    readonly blobs: number;
    readonly bytes: number;
    readonly unnamed: { readonly blobs: number };
    readonly spaces: readonly {
      readonly space: string;
      readonly refs: number;
      readonly blobs: number;
      readonly bytes: number;
    }[];
  }[];
}

test("store stats and store sweep say what a store has and what would go, and the sweep takes it", async () => {
  await using folder = await newFolder();
  const options = { cwd: folder.path };
  const store = join(folder.path, "store");
  const stillage = (...args: string[]): Promise<Outcome> =>
    run("stillage", ["store", ...args, "--store", store], options);
  await using server = await serve(
    "stillage",
    ["serve", store, "--listen", "127.0.0.1:0", "--instance", "team"],
    options,
  );
  const endpoint = openEndpoint(`grpc://${server.listeners[0]?.address}`);
  try {
    await pushAll(endpoint);
    await delay(2100); // the asset's date passes
    await upload(endpoint, "team", [newBlob(10)]);
  } finally {
    endpoint.channel.destroy();
  }

  const text = await stillage("stats", "--quota", "1M");
  assert.equal(text.status, 0, text.stderr);
  assert.match(text.stdout, /% of the quota/);
  assert.match(text.stdout, /^"team" +action +1 +0 +just now +just now +1 +20\.\d kB$/m);
  const { stdout, stderr, status } = await stillage("stats", "--quota", "1M", "--json");
  assert.equal(status, 0, stderr);
  const stats = JSON.parse(stdout) as Stats;
  assert.deepEqual([stats.quota, stats.lowMark], [1_000_000, 850_000]);
  const [team] = stats.instances;
  assert.deepEqual([team?.instance, team?.blobs, team?.unnamed.blobs], ["team", 4, 2]);
  assert.ok(team !== undefined && team.bytes > 321_000 && stats.bytes >= team.bytes);
  assert.deepEqual(
    team.spaces.map(({ space, refs, blobs }) => ({ space, refs, blobs })),
    [
      { space: "action", refs: 1, blobs: 1 },
      { space: "asset", refs: 1, blobs: 1 },
    ],
  );

  const refused = await stillage("sweep");
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /the server sweeps by itself/);
  const rules = ["--lease", "0s", "--limit", "instance=team,space=action,age=1s"];
  const preview = await stillage("sweep", "--dry-run", "--json", ...rules);
  assert.equal(preview.status, 0, preview.stderr);
  const going = JSON.parse(preview.stdout) as { count: number; blobs: number; refs: Record<string, string>[] };
  assert.deepEqual([going.count, going.blobs], [2, 2]);
  assert.deepEqual(going.refs.map(({ space, rule, scope }) => [space, rule, scope]).sort(), [
    ["action", "age", "instance=team,space=action"],
    ["asset", "expires", ""],
  ]);
  const lines = await stillage("sweep", "--dry-run", "--quota", "500M", ...rules);
  assert.match(lines.stdout, /^asset\tteam\t\S+Z\texpires\tblob\\x0ahttps:\/\/example\.com\/a$/m);
  assert.match(lines.stderr, /^stillage: 2 refs and 2 blobs would go, .* on the disk of a quota of 500 MB\n$/);
  const wrong = await stillage("sweep", "--low-mark", "99%", "--lease", "never");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--lease: "never" is not a time/);

  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);
  const swept = await stillage("sweep", ...rules);
  assert.equal(swept.status, 0, swept.stderr);
  assert.match(swept.stdout, /^1 asset ref of instance "team": its own date has passed$/m);
  assert.match(swept.stdout, /^1 action ref of instance "team": older than the age of instance=team,space=action$/m);
  assert.match(swept.stdout, /^2 blobs removed, 2[01]\.\d kB$/m);
  const full = await stillage("sweep", "--json", "--lease", "0s", "--quota", "300K");
  assert.equal(full.status, 0, full.stderr);
  const { removed, bytesBefore, bytesAfter } = JSON.parse(full.stdout) as Record<string, unknown>;
  assert.deepEqual((removed as { blobs: number }).blobs, 1);
  assert.ok((bytesBefore as number) > 285_000 && (bytesAfter as number) < 255_000);
});
