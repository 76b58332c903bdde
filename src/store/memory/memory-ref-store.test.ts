import { refStoreContract } from "../ref-store.contract.ts";
import { MemoryRefStore } from "./memory-ref-store.ts";

refStoreContract("memory", () => {
  let now = 1000;
  return {
    store: new MemoryRefStore(() => now),
    setTime: (time) => {
      now = time;
    },
  };
});
