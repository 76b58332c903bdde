import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOstreePath } from "./ostree-path.ts";

const rest = "c".repeat(62);
const checksum = `ab${rest}`;

const paths: [path: string, named: object | undefined][] = [
  ["/ostree/config", { instance: "", kind: "config" }],
  ["/ostree/summary", { instance: "", kind: "summary" }],
  ["/ostree/summary.sig", { instance: "", kind: "absent" }],
  ["/ostree/main/summary", { instance: "main", kind: "summary" }],
  ["/ostree/a/b/config", { instance: "a/b", kind: "config" }],
  ["/ostree/summary/summary", { instance: "summary", kind: "summary" }],
  ["/ostree/a%2Fb%20c/summary", { instance: "a/b c", kind: "summary" }],
  ["/ostree/a+b/summary", { instance: "a+b", kind: "summary" }],
  ["/ostree/refs/heads/p/e-x_y.z/1", { instance: "", kind: "ref", ref: "p/e-x_y.z/1" }],
  ["/ostree/i/refs/heads/p/e/1", { instance: "i", kind: "ref", ref: "p/e/1" }],
  ["/ostree/refs/heads/p/refs/heads/x", { instance: "", kind: "ref", ref: "p/refs/heads/x" }],
  ["/ostree/refs/heads/p/summary", { instance: "", kind: "ref", ref: "p/summary" }],
  ["/ostree/refs/remotes/x", { instance: "", kind: "absent" }],
  [`/ostree/objects/ab/${rest}.commit`, { instance: "", kind: "commit", checksum }],
  [`/ostree/objects/ab/${rest}.dirtree`, { instance: "", kind: "metadata", checksum }],
  [`/ostree/objects/ab/${rest}.dirmeta`, { instance: "", kind: "metadata", checksum }],
  [`/ostree/i/objects/ab/${rest}.filez`, { instance: "i", kind: "file", checksum }],
  [`/ostree/objects/ab/${rest}.commitmeta`, { instance: "", kind: "detached", checksum }],
  [`/ostree/objects/ab/${rest}.file`, { instance: "", kind: "absent" }],
  [`/ostree/objects/ab/${rest}.toString`, { instance: "", kind: "absent" }],
  [`/ostree/objects/AB/${rest}.commit`, { instance: "", kind: "absent" }],
  [`/ostree/objects/ab/${rest}.commit/..`, { instance: "", kind: "absent" }],
  ["/ostree/objects/", { instance: "", kind: "absent" }],
  ["/ostree/delta-indexes/ab/c+d_e.index", { instance: "", kind: "absent" }],
  ["/ostree/i/deltas/ab/cd/superblock", { instance: "i", kind: "absent" }],
  ["/ostree/%ff/summary", undefined],
  ["/ostree/", undefined],
  ["/ostree/other", undefined],
  [`/ostree/cas/${checksum}`, undefined],
  ["/ostree/../config", { instance: "..", kind: "config" }],
];

for (const [path, named] of paths) {
  test(`${path.replace(rest, "…")} is ${named === undefined ? "something else" : "understood"}`, () =>
    assert.deepEqual(parseOstreePath(path), named));
}

test("long paths take no long time", () => {
  assert.equal(parseOstreePath(`/ostree/${"a/".repeat(4000)}objects`)?.kind, undefined);
  assert.equal(parseOstreePath(`/ostree/${"objects/".repeat(1000)}\n`), undefined);
});
