import { blobCensusContract } from "../blob-census.contract.ts";
import { blobStagingContract } from "../blob-staging.contract.ts";
import { blobStoreContract } from "../blob-store.contract.ts";
import { MemoryStore } from "./memory-store.ts";

blobStoreContract("memory", async (options) => {
  const store = new MemoryStore(options);
  return {
    store,
    admin: store,
    remove: (digest) => store.remove(digest),
    [Symbol.asyncDispose]: () => store.close(),
  };
});

blobStagingContract("memory", async (options) => {
  const store = new MemoryStore(options);
  return { store, admin: store, [Symbol.asyncDispose]: () => store.close() };
});

blobCensusContract("memory", async (options) => {
  const store = new MemoryStore(options);
  return {
    store,
    census: () => store.census(),
    removals: () => store.removals(),
    [Symbol.asyncDispose]: () => store.close(),
  };
});
