import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BstFetcher } from "./bst-fetcher.ts";
import type { BuiltElement } from "./bst-graph.ts";

/** Says what BuildStream 2.8.1 does of `good.bst`, `bad.bst` and `had.bst`, of which it says nothing. */
const script = `#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
exec >&2
for each; do
  case $each in
    good*) echo "@stillage START   | p/g-fetch.1.log | fetch:$each"; echo "@stillage SUCCESS | p/g-fetch.1.log | fetch:$each" ;;
    bad*) echo "@stillage START   | p/b-fetch.1.log | fetch:$each"; echo "@stillage FAILURE | no answer | fetch:$each"; failed=255 ;;
    killed*) kill -KILL $$ ;;
    lost*) echo "there is no such element"; exit 1 ;;
  esac
done
exit $failed
`;

test("what is wanted at about the same time is fetched by one process, and each is told what came of it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "stillage-fetcher-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "bst");
  writeFileSync(program, script, { mode: 0o755 });
  const pauses: number[] = [];
  let pass = Promise.withResolvers<void>();
  const time = {
    now: () => 0,
    wait: (milliseconds: number) => {
      pauses.push(milliseconds);
      return pass.promise;
    },
  };
  const bst = { program, directory: folder, userConfiguration: "/c", projectName: "p", options: [] };
  const fetcher = new BstFetcher({ bst, width: 3, networkRetries: 2, time });
  const [abort, ending] = [new AbortController(), new AbortController()];
  const fetch = (name: string): Promise<string> =>
    fetcher.fetch({ name } as BuiltElement, abort.signal, ending.signal).catch(({ message }) => message);
  const first = ["good.bst", "bad.bst", "had.bst"].map(fetch);
  pass.resolve();
  assert.deepEqual(await Promise.all(first), [
    "fetched",
    "bad.bst: its sources could not be fetched: no answer",
    "present",
  ]);
  await fetcher[Symbol.asyncDispose]();
  const lost = fetch("lost.bst");
  assert.equal(await lost, "lost.bst: `bst source fetch` ended with 1: there is no such element");
  await fetcher[Symbol.asyncDispose]();
  const [, killed = ""] = await Promise.all(["bad.bst", "killed.bst"].map(fetch));
  assert.match(killed, /^killed.bst: `bst source fetch` ended with SIGKILL/);
  await fetcher[Symbol.asyncDispose]();
  pass = Promise.withResolvers();
  const stopped = fetch("good.bst");
  abort.abort(new Error("that is enough"));
  pass.resolve();
  assert.equal(await stopped, "that is enough");
  pass = Promise.withResolvers();
  const notBegun = fetch("good.bst");
  ending.abort(new Error("nothing more"));
  pass.resolve();
  assert.equal(await notBegun, "nothing more");
  const common = "--no-interactive --no-colors --strict";
  const calls = readFileSync(join(folder, "calls"), "utf8").replaceAll(` --directory ${folder} --config /c`, "");
  assert.deepEqual(calls.split("\n"), [
    `${common} --on-error continue --fetchers 3 --network-retries 2 source fetch --deps none -- good.bst bad.bst had.bst`,
    `${common} --on-error continue --fetchers 1 --network-retries 2 source fetch --deps none -- lost.bst`,
    `${common} --on-error continue --fetchers 2 --network-retries 2 source fetch --deps none -- bad.bst killed.bst`,
    "",
  ]);
  assert.deepEqual(pauses, [200, 200, 200, 200, 200]);
});

/** Tells the end of its first element at once, and of the others when something is written to the pipe. */
const slowScript = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>calls
exec >&2
say() { echo "@stillage START   | p/f-fetch.1.log | fetch:$1"; echo "@stillage SUCCESS | p/f-fetch.1.log | fetch:$1"; }
until [ "$1" = -- ]; do shift; done
say "$2"
shift 2
[ $# = 0 ] && exit
read -r line <pipe
echo released >>calls
for each; do say "$each"; done
`;

test("all processes together fetch as much at a time as is allowed, and each is given more than that", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "stillage-fetcher-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "bst");
  writeFileSync(program, slowScript, { mode: 0o755 });
  execFileSync("mkfifo", [join(folder, "pipe")]);
  const bst = { program, directory: folder, userConfiguration: undefined, projectName: "p", options: [] };
  const time = { now: () => 0, wait: async () => {} };
  const fetcher = new BstFetcher({ bst, width: 2, networkRetries: 0, time });
  const { signal } = new AbortController();
  const fetch = (name: string): Promise<string> => fetcher.fetch({ name } as BuiltElement, signal, signal);
  const [first, ...others] = ["a", "b", "c", "d"].map(fetch);
  assert.equal(await first, "fetched");
  const later = fetch("e");
  await writeFile(join(folder, "pipe"), "go on\n");
  assert.deepEqual(await Promise.all([...others, later]), ["fetched", "fetched", "fetched", "fetched"]);
  await fetcher[Symbol.asyncDispose]();
  const calls = readFileSync(join(folder, "calls"), "utf8").split("\n");
  assert.deepEqual(
    calls.map((call) => call.replace(/.*(--fetchers \d+).* -- /, "$1 ")),
    ["--fetchers 2 a b c d", "released", "--fetchers 1 e", ""],
  );
});
