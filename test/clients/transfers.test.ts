import { after, describe } from "node:test";
import { type Built, buildSite } from "./transfers/built.ts";
import { testInterruptions } from "./transfers/interruptions.ts";
import { testUnreachable } from "./transfers/unreachable.ts";
import { testOldServers } from "./transfers/with-bst1.ts";
import { testTransfers } from "./transfers/with-bst2.ts";

const version = "2.8.1";

// Two at a time: a client spends half of its time waiting.
describe("transfers", { concurrency: 2 }, () => {
  // Built once, by whoever is first: what one has pulled or pushed is in no other's way.
  let building: Promise<Built> | undefined;
  const built = (): Promise<Built> => (building ??= buildSite(version));
  testTransfers(version, built);
  testInterruptions(built);
  testUnreachable(built);
  testOldServers("1.6.8");
  after(async () => (await building)?.[Symbol.asyncDispose]());
});
