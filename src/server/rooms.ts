import { Catalogue } from "../artifact/catalogue.ts";
import { type Catalogues, cataloguesOf } from "../artifact/catalogues.ts";
import { systemClock } from "../base/clock.ts";
import { Closure } from "../cache/closure.ts";
import { composeTenant, type Tenant, type Tenants, tenantsOf } from "../cache/tenant.ts";
import { retryWhenFull } from "../store/wrap/retry-when-full.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Part } from "./services.ts";
import type { Shelves } from "./stock.ts";

/** The instances of a server. */
export interface Rooms {
  readonly tenants: Tenants;
  readonly catalogues: Catalogues;
}

export function roomsOf({ instances, services }: ServerOptions, shelves: Shelves): Rooms {
  const rooms = instances.map((name) => room(name, shelves, services));
  return {
    tenants: tenantsOf(rooms.map(({ tenant }) => tenant)),
    catalogues: cataloguesOf(rooms.map(({ catalogue }) => catalogue)),
  };
}

/** One instance: its blobs, its names, the rules between them, and the view of them as artifacts. */
function room(name: string, shelves: Shelves, part: Part): { tenant: Tenant; catalogue: Catalogue } {
  const { refs } = shelves;
  const blobs = retryWhenFull(shelves.blobs(name));
  const closure = new Closure(blobs, () => shelves.removals());
  const indexOnly = part === "index";
  return {
    tenant: composeTenant(name, { blobs, refs, closure, clock: systemClock, indexOnly }),
    catalogue: new Catalogue({
      instance: name,
      artifacts: refs.artifacts,
      blobs,
      closure: indexOnly ? undefined : closure,
    }),
  };
}
