import { describe } from "node:test";
import { testLocalCache1 } from "./artifacts/local-cache1.ts";
import { testLocalCache2 } from "./artifacts/local-cache2.ts";

// Two at a time: a client spends half of its time waiting.
describe("the local cache, shared with the real programs", { concurrency: 2 }, () => {
  testLocalCache2("2.8.1");
  testLocalCache1("1.6.8");
});
