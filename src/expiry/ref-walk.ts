import { StillageError } from "../base/errors.ts";
import type { Slices } from "../base/slices.ts";
import { optionalTreesOf } from "../cache/message-index.ts";
import type { RefAdmin } from "../store/ref-admin.ts";
import type { TenantMarks } from "./marks.ts";
import type { Reach } from "./reach.ts";
import type { Unread } from "./unread.ts";
import { Walks } from "./walks.ts";

/** Walks what refs keep alive, each in its instance. */
export class RefWalk {
  private readonly refs: Pick<RefAdmin, "rootsOf">;
  private readonly walks: ReadonlyMap<string, Walks>;

  /** `unread` is told of what the disk did not give. */
  constructor(
    tenants: ReadonlyMap<string, TenantMarks>,
    refs: Pick<RefAdmin, "rootsOf">,
    slices: Slices,
    unread: Unread,
  ) {
    this.refs = refs;
    this.walks = new Map([...tenants].map(([name, marks]) => [name, new Walks(marks, slices, unread)]));
  }

  /** Reaches everything that a ref keeps alive, if it is still there. Errors: those of the disk, and the reason of the slices' signal. */
  async from(id: number, reach: Reach): Promise<void> {
    try {
      for (const ref of this.refs.rootsOf([id])) {
        const walks = this.walks.get(ref.instance);
        await walks?.from(ref.roots, reach);
        if (ref.message !== undefined) await walks?.from(optionalTreesOf(ref, ref.message), reach);
      }
    } catch (error) {
      // A ref that cannot be read keeps nothing: nobody is served by it either.
      const broken = error instanceof StillageError && (error.code === "corrupt" || error.code === "invalid");
      if (!broken) throw error;
    }
  }
}
