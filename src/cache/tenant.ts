import { StillageError } from "../base/errors.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { ActionCache } from "./action-cache.ts";
import type { AssetIndex } from "./asset-index.ts";
import type { MessageIndex } from "./message-index.ts";

/** What one instance name has for itself: nothing of it is visible under another name. */
export interface Tenant {
  /** The instance name; may be empty or hold slashes. */
  readonly name: string;
  readonly blobs: BlobStore;
  readonly actions: ActionCache;
  readonly assets: AssetIndex;
  readonly messages: MessageIndex;
}

export interface Tenants {
  /** Errors: `not-found`, never `invalid`: that is the answer by which BuildStream takes a remote for usable. */
  find(instance: string): Tenant;
}

/** The tenants by their names, each once. */
export function tenantsOf(tenants: readonly Tenant[]): Tenants {
  const byName = new Map(tenants.map((tenant) => [tenant.name, tenant]));
  return {
    find: (instance) => {
      const tenant = byName.get(instance);
      if (tenant !== undefined) return tenant;
      throw new StillageError("not-found", `there is no instance ${JSON.stringify(instance.slice(0, 200))} here`, {
        hint: "check the instance name in the client's configuration",
      });
    },
  };
}
