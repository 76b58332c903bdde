import { openCommitCache } from "../../../src/client/ostree/commit-cache.ts";
import { found, openRemote, unending } from "./ostree-artifacts.ts";

// A program that pulls one artifact into a cache: to be killed.
const [, , url = "", directory = "", element = "", key = ""] = process.argv;
const place = await openRemote(url, { push: false });
const { commits } = openCommitCache(directory);
await commits.take?.(await found(place, element, key), place.commits, { signal: unending });
