import { type Case, type Outcome, runCase, type Target } from "./case.ts";
import { actionCacheCases } from "./cases/action-cache.ts";
import { actionCacheCompleteCases } from "./cases/action-cache-complete.ts";
import { assetCases } from "./cases/asset.ts";
import { assetCompleteCases } from "./cases/asset-complete.ts";
import { batchReadCases } from "./cases/batch-read.ts";
import { batchUpdateCases } from "./cases/batch-update.ts";
import { batchUpdateZstdCases } from "./cases/batch-update-zstd.ts";
import { byteStreamReadCases } from "./cases/bytestream-read.ts";
import { compressedReadCases } from "./cases/bytestream-read-zstd.ts";
import { byteStreamResumeCases } from "./cases/bytestream-resume.ts";
import { byteStreamWriteCases } from "./cases/bytestream-write.ts";
import { refusedWriteCases } from "./cases/bytestream-write-refused.ts";
import { compressedWriteCases } from "./cases/bytestream-write-zstd.ts";
import { capabilitiesCases } from "./cases/capabilities.ts";
import { digestFunctionCases } from "./cases/digest-functions.ts";
import { findMissingCases } from "./cases/find-missing.ts";
import { fullCases } from "./cases/full.ts";
import { getTreeCases } from "./cases/get-tree.ts";
import { healthCases } from "./cases/health.ts";
import { httpCases } from "./cases/http.ts";
import { httpCacheCases } from "./cases/http-cache.ts";
import { instanceCases } from "./cases/instances.ts";
import { messageCases } from "./cases/messages.ts";
import { partCases } from "./cases/parts.ts";
import { protocolCases } from "./cases/protocol.ts";
import { referenceCases } from "./cases/references.ts";
import { reflectionCases } from "./cases/reflection.ts";
import { rightsCases } from "./cases/rights.ts";
import { spliceCases } from "./cases/splice.ts";
import { splitCases } from "./cases/split.ts";

/** Everything that a cache server must do, in the order of the services. */
export const suite: readonly Case[] = [
  ...capabilitiesCases,
  ...findMissingCases,
  ...batchUpdateCases,
  ...batchUpdateZstdCases,
  ...batchReadCases,
  ...getTreeCases,
  ...splitCases,
  ...spliceCases,
  ...byteStreamReadCases,
  ...compressedReadCases,
  ...byteStreamWriteCases,
  ...refusedWriteCases,
  ...byteStreamResumeCases,
  ...compressedWriteCases,
  ...actionCacheCases,
  ...actionCacheCompleteCases,
  ...assetCases,
  ...assetCompleteCases,
  ...referenceCases,
  ...messageCases,
  ...digestFunctionCases,
  ...instanceCases,
  ...rightsCases,
  ...partCases,
  ...fullCases,
  ...protocolCases,
  ...healthCases,
  ...reflectionCases,
  ...httpCases,
  ...httpCacheCases,
];

export interface RunOptions {
  /** Only the cases whose id begins so. */
  readonly only?: string;
  /** Hears of each outcome as it comes. */
  readonly seen?: (outcome: Outcome) => void;
}

/** Runs the cases one after the other. */
export async function runSuite(target: Target, { only = "", seen }: RunOptions = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const each of suite.filter(({ id }) => id.startsWith(only))) {
    const outcome = await runCase(each, target);
    outcomes.push(outcome);
    seen?.(outcome);
  }
  return outcomes;
}
