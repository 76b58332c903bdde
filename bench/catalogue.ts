import { createHash } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { parseDigest } from "../src/base/digest.ts";
import { silentLog } from "../src/base/log.ts";
import type { ArtifactQuery, ListedArtifact } from "../src/store/artifact-refs.ts";
import type { NewRef } from "../src/store/ref-store.ts";
import { SqliteRefStore } from "../src/store/sqlite/sqlite-ref-store.ts";
import { freshDirectory } from "./fresh-directory.ts";
import { positiveNumber } from "./positive-number.ts";

/**
 * The list of artifacts: `node bench/catalogue.ts [ARTIFACTS]`. Pushes them as clients do, two keys each, and then asks for pages of 50.
 */
const artifacts = positiveNumber("artifacts", process.argv[2] ?? "100000");
const projects = ["freedesktop-sdk", "gnome-build-meta", "firmware", "apps", "tests"];
const buildsOfElement = 5;
const elements = artifacts / projects.length / buildsOfElement;
const inFlight = 64;
const rounds = 200;
const page = 50;

const keyOf = (text: string): string => createHash("sha256").update(text).digest("hex");

await using directory = await freshDirectory(process.env.TMPDIR ?? "/tmp");
const store = new SqliteRefStore({
  file: join(directory.path, "refs.sqlite"),
  durability: "on",
  clock: systemClock,
  log: silentLog,
});
const start = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: inFlight }, async () => {
    while (next < artifacts) await store.put(refsOf(next++));
  }),
);
const seconds = (performance.now() - start) / 1000;
console.log(`${artifacts} artifacts pushed, ${inFlight} at a time: ${Math.round(artifacts / seconds)} a second`);

const base: ArtifactQuery = { instance: "", sort: "newest", limit: page };
const middle = after(artifacts / 2);
const middleByName = (await store.artifacts.list({ ...base, sort: "name", elements: ["components-element-1*"] })).at(
  -1,
);
const rows: [what: string, query: Partial<ArtifactQuery>][] = [
  ["the first page", {}],
  ["a page in the middle", { after: middle }],
  ["the first page by name", { sort: "name" }],
  ["a page in the middle by name", { sort: "name", after: middleByName }],
  ["a project", { project: "firmware" }],
  ["an element", { project: "firmware", elements: ["components-element-77"] }],
  ["a glob of elements", { elements: ["*-77?"] }],
  ["the beginning of a key, 8 digits", { key: keyOf("strong 77").slice(0, 8) }],
  ["the beginning of a key, 2 digits", { key: keyOf("strong 77").slice(0, 2) }],
  ["a part of a name, frequent", { search: { texts: ["element-1"], key: undefined } }],
  ["a part of a name, rare", { search: { texts: ["element-777"], key: undefined } }],
  ["a part of a name, none", { search: { texts: ["nothing-like-it"], key: undefined } }],
];
console.log(`\n| a page of ${page} | found | p50 ms | p99 ms |\n| --- | ---: | ---: | ---: |`);
for (const [what, query] of rows) {
  const times: number[] = [];
  let found = 0;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    found = store.artifacts.list({ ...base, ...query }).length;
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * (times.length - 1))] as number).toFixed(2);
  console.log(`| ${what} | ${found} | ${at(0.5)} | ${at(0.99)} |`);
}
await store.close();

/** A push of BuildStream 2: the strong and the weak key. */
function refsOf(n: number): NewRef[] {
  const project = projects[n % projects.length] as string;
  const element = `components-element-${Math.floor(n / projects.length) % elements}`;
  const message = Buffer.alloc(400, `${n}`);
  const digest = parseDigest(keyOf(`artifact ${n}`), 2000);
  return [keyOf(`strong ${n}`), keyOf(`weak ${n}`)].map((key) => ({
    space: "asset",
    instance: "",
    name: `blob\nurn:fdc:buildstream.build:2020:artifact:${project}/${element}/${key}`,
    message,
    roots: [{ walk: "artifact", digest }],
    stored: systemClock(),
    expires: undefined,
    by: "CN=builder",
    artifact: { project, element, key, generation: "2.x", content: digest },
  }));
}

function after(count: number): ListedArtifact | undefined {
  let last: ListedArtifact | undefined;
  for (let seen = 0; seen < count; seen += 1000) {
    last = store.artifacts.list({ ...base, limit: 1000, after: last }).at(-1);
  }
  return last;
}
