import { type Catalogues, cataloguesOf } from "../artifact/catalogues.ts";
import { requireRight, type Visit } from "./rights.ts";

/** The catalogues that a visitor may see. Errors of `of` are also `unauthenticated` and `forbidden`: what he may not see is not confirmed to be there. */
export function permittedCatalogues(catalogues: Catalogues, visit: Visit): Catalogues {
  const permitted = cataloguesOf(catalogues.all.filter(({ instance }) => visit.caller.may("pull", instance)));
  return {
    all: permitted.all,
    of: (instance) => {
      if (instance !== undefined || permitted.all.length === 0) requireRight(visit, instance ?? "", "pull");
      const found = permitted.of(instance);
      visit.instance = found.instance;
      return found;
    },
  };
}
