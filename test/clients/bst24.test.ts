import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testArtifactCommands, testBuilds } from "./bst2/artifacts.ts";
import { assertAllPulled, checkoutListing, removeUpstream, showAll } from "./bst2/inspect.ts";
import { testOutcomes } from "./bst2/outcomes.ts";
import { testSources } from "./bst2/sources.ts";
import { bothAt, openSite } from "./support/site.ts";

const older = "2.4.1";
const newer = "2.8.1";

// Two at a time: a client spends half of its time waiting.
describe(`BuildStream ${older}`, { concurrency: 2 }, () => {
  testBuilds(older);
  testArtifactCommands(older);
  testOutcomes(older);
  testSources(older);
});

describe("releases of BuildStream share one cache", { concurrency: 2 }, () => {
  for (const [from, to] of [
    [older, newer],
    [newer, older],
  ] as const) {
    test(`what ${from} pushes, ${to} pulls and does not build`, async () => {
      await using site = await openSite(from);
      const server = await site.serve();
      const builder = await site.machine("builder", bothAt(server, true));
      await builder.ok(site.project, "build", "all.bst");
      await removeUpstream(site);

      const puller = await site.machine("puller", bothAt(server, false), to);
      assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
      assert.deepEqual(await showAll(puller, site), await showAll(builder, site));
      assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
      await puller.ok(site.project, "source", "fetch", "--deps", "all", "all.bst");
    });
  }
});
