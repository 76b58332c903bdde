import assert from "node:assert/strict";
import { test } from "node:test";
import { didYouMean, nearest } from "./nearest.ts";

test("a misspelt word is told from one that is not ours", () => {
  const words = ["store", "listeners", "instances", "quota", "key", "push"];
  const meant: Readonly<Record<string, string | undefined>> = {
    qouta: "quota",
    quoat: "quota",
    Quota: "quota",
    listen: "listeners",
    listner: "listeners",
    instance: "instances",
    kye: "key",
    puhs: "push",
    port: undefined,
    ke: "key",
    k: undefined,
    "": undefined,
    address: undefined,
    ["x".repeat(2000)]: undefined,
  };
  for (const [word, candidate] of Object.entries(meant)) assert.equal(nearest(word, words), candidate, word);
  assert.equal(didYouMean("qouta", words), "; did you mean quota?");
  assert.equal(didYouMean("address", words), "");
});
