import { StillageError } from "../base/errors.ts";
import type { Catalogue } from "./catalogue.ts";

/** The catalogues of all instances. */
export interface Catalogues {
  readonly all: readonly Catalogue[];
  /** That of an instance; without one, of the only one, or else of the one without a name. Errors: `not-found`. */
  of(instance: string | undefined): Catalogue;
}

export function cataloguesOf(all: readonly Catalogue[]): Catalogues {
  const [only] = all.length === 1 ? all : [];
  return {
    all,
    of: (instance) => {
      const found =
        instance === undefined && only !== undefined ? only : all.find((each) => each.instance === (instance ?? ""));
      if (found !== undefined) return found;
      if (all.length === 0) throw new StillageError("not-found", "there is no instance here");
      if (instance === undefined) {
        throw new StillageError("not-found", "there are several instances here, and none without a name", {
          hint: `name one of ${all.map((each) => JSON.stringify(each.instance)).join(", ")}`,
        });
      }
      throw new StillageError("not-found", `there is no instance ${JSON.stringify(instance.slice(0, 200))} here`);
    },
  };
}
