import { describe } from "node:test";
import { testArtifactCommands, testBuilds } from "./bst2/artifacts.ts";
import { testCatalogue } from "./bst2/catalogue.ts";
import { testDeployments } from "./bst2/deployments.ts";
import { testExpiry } from "./bst2/expiry.ts";
import { testLimits } from "./bst2/limits.ts";
import { testOutcomes } from "./bst2/outcomes.ts";
import { testRights } from "./bst2/rights.ts";
import { testSources } from "./bst2/sources.ts";
import { testTls } from "./bst2/tls.ts";

const version = "2.8.1";

// Two at a time: a client spends half of its time waiting.
describe(`BuildStream ${version}`, { concurrency: 2 }, () => {
  testBuilds(version);
  testArtifactCommands(version);
  testCatalogue(version);
  testOutcomes(version);
  testSources(version);
  testDeployments(version);
  testTls(version);
  testRights(version);
  testLimits(version);
  testExpiry(version);
});
