import { describe } from "node:test";
import { testArtifacts } from "./bst1/artifacts.ts";
import { testCatalogue } from "./bst1/catalogue.ts";
import { testRemotes } from "./bst1/remotes.ts";

const version = "1.6.8";

// Two at a time: a client spends half of its time waiting.
describe(`BuildStream ${version}`, { concurrency: 2 }, () => {
  testArtifacts(version);
  testCatalogue(version);
  testRemotes(version);
});
