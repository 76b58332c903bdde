import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { RefStore } from "../store/ref-store.ts";
import { ActionCache } from "./action-cache.ts";
import { AssetIndex } from "./asset-index.ts";
import type { Closure } from "./closure.ts";
import { CommitRefs } from "./commit-refs.ts";
import { MessageIndex } from "./message-index.ts";

/** What one instance name has for itself: nothing of it is visible under another name. */
export interface Tenant {
  /** The instance name; may be empty or hold slashes. */
  readonly name: string;
  readonly blobs: BlobStore;
  readonly actions: ActionCache;
  readonly assets: AssetIndex;
  readonly messages: MessageIndex;
  readonly pushes: CommitRefs;
}

export interface TenantParts {
  readonly blobs: BlobStore;
  readonly refs: RefStore;
  readonly closure: Closure;
  readonly clock: Clock;
  /** The blobs of what is pushed are on another server: assets and messages are served whether or not they are complete here. */
  readonly indexOnly: boolean;
}

/** One instance: its blobs, its names, and the rules between them. */
export function composeTenant(name: string, { blobs, refs, closure, clock, indexOnly }: TenantParts): Tenant {
  const shared = { instance: name, refs, clock };
  const index = { ...shared, closure: indexOnly ? undefined : closure };
  return {
    name,
    blobs,
    actions: new ActionCache({ ...shared, blobs, closure }),
    assets: new AssetIndex(index),
    messages: new MessageIndex(index),
    pushes: new CommitRefs({ ...shared, blobs, closure }),
  };
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
