import { type RefAdminUnderTest, refAdminContract } from "../ref-admin.contract.ts";
import { refStoreContract } from "../ref-store.contract.ts";
import { MemoryRefStore } from "./memory-ref-store.ts";

function open(): RefAdminUnderTest {
  let now = 1000;
  return {
    store: new MemoryRefStore(() => now),
    setTime: (time) => {
      now = time;
    },
  };
}

refStoreContract("memory", open);
refAdminContract("memory", open);
