import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { noConnection } from "../configuration/remote-entry.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
import { findAwayServers } from "./away-servers.ts";
import { openReachability } from "./reachability.ts";

const { signal } = new AbortController();

test("who says anything is there, and who is known not to answer is not asked", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "stillage-away-"));
  const asked: string[] = [];
  const server = createServer().on("stream", (stream: ServerHttp2Stream, headers) => {
    asked.push(String(headers[":path"]));
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": 7 }, { endStream: true });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reachability = openReachability(join(folder, "unreachable.json"), Date.now);
  const known = remoteAt(url, { instanceName: "remembered" });
  await reachability.failed(known, "it said nothing");
  // As pushed to and as pulled from it is one server.
  const refusing = [false, true].map((push) => remoteAt(url, { push }));
  const storage = remoteAt(url, { type: "storage" });
  const firstOnly = { ...noConnection, retryLimit: 0 };
  const gone = [false, true].map((push) => remoteAt("http://127.0.0.1:1", { push, connection: firstOnly }));
  const wrong = remoteAt("nowhere://at/all");
  const specs = [...refusing, ...gone, storage, known, wrong];
  const left = await findAwayServers(specs, { reachability, signal });
  assert.deepEqual(
    left.map(({ spec, remembered }) => [spec, remembered]),
    [...gone.map((spec) => [spec, false]), [known, true]],
  );
  assert.match(left[0]?.error.message ?? "", /ECONNREFUSED|refused/);
  assert.equal(reachability.blocked(gone[0] as never), undefined);
  assert.deepEqual(asked.toSorted(), [
    "/build.bazel.remote.asset.v1.Fetch/FetchBlob",
    "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities",
  ]);
});

test("asking ends with its signal, and then nothing is remembered", async () => {
  const path = join(tmpdir(), "stillage-away-nowhere", "unreachable.json");
  const reachability = openReachability(path, Date.now);
  const gone = remoteAt("http://127.0.0.1:1");
  const stopped = AbortSignal.abort(new Error("enough"));
  await assert.rejects(findAwayServers([gone], { reachability, signal: stopped }), /enough/);
  assert.equal(reachability.blocked(gone), undefined);
});
