import { describe } from "node:test";
import { testKills } from "./release/kills.ts";
import { testOutlives } from "./release/outlives.ts";

describe("releases", { concurrency: 2 }, () => {
  testOutlives("2.8.1");
  testKills();
});
