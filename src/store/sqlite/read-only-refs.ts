import { StillageError } from "../../base/errors.ts";
import type { RefAdmin, RefOrder } from "../ref-admin.ts";
import { openToRead } from "./open-database.ts";
import { RefLists } from "./ref-lists.ts";
import { scanRefs } from "./ref-scan.ts";

/** What keeps a store in order reads of its refs. */
export interface ReadOnlyRefs extends Omit<RefAdmin, "pin"> {
  close(): void;
}

/**
 * The refs in a file, to be read beside the server that writes them, as of the moment of each call. Last uses are some seconds late; an order is that of one
 * moment, and nothing can be evicted. Errors: `failed-precondition` where there is no such file, or of another format; `corrupt`.
 */
export function openRefs(file: string): ReadOnlyRefs {
  const database = openToRead(file);
  const lists = new RefLists(file, database);
  return {
    order: async (): Promise<RefOrder> => {
      const scanned = scanRefs(database);
      const evict = (): Promise<never> =>
        Promise.reject(new StillageError("failed-precondition", "the refs are open for reading alone"));
      return { ...scanned, length: scanned.ids.length, since: () => [], evict, close: () => {} };
    },
    rootsOf: (ids) => lists.rootsOf(ids),
    list: (filter) => lists.list(filter),
    groups: () => lists.groups(),
    size: () => lists.size(),
    close: () => database.close(),
  };
}
