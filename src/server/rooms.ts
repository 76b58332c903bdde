import { Catalogue } from "../artifact/catalogue.ts";
import { type Catalogues, cataloguesOf } from "../artifact/catalogues.ts";
import { systemClock } from "../base/clock.ts";
import { Closure, type ClosureOptions } from "../cache/closure.ts";
import { composeTenant, type Tenant, type Tenants, tenantsOf } from "../cache/tenant.ts";
import { unaskedMs } from "../store/use-resolution.ts";
import { retryWhenFull } from "../store/wrap/retry-when-full.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Part } from "./services.ts";
import type { Shelves } from "./stock.ts";
import { TracedClosure, tracedBlobs, tracedRefs } from "./tracing/traced-cache.ts";
import type { Tracing } from "./tracing/tracing.ts";

/** The instances of a server. */
export interface Rooms {
  readonly tenants: Tenants;
  readonly catalogues: Catalogues;
}

export function roomsOf(
  { instances, services, leaseMs }: ServerOptions,
  shelves: Shelves,
  tracing: Tracing | undefined,
): Rooms {
  const closing = { unaskedMs: unaskedMs(leaseMs / 1000) };
  const rooms = instances.map((name) => room(name, shelves, services, closing, tracing));
  return {
    tenants: tenantsOf(rooms.map(({ tenant }) => tenant)),
    catalogues: cataloguesOf(rooms.map(({ catalogue }) => catalogue)),
  };
}

/** One instance: its blobs, its names, the rules between them, and the view of them as artifacts. */
function room(
  name: string,
  shelves: Shelves,
  part: Part,
  closing: ClosureOptions,
  tracing: Tracing | undefined,
): { tenant: Tenant; catalogue: Catalogue } {
  const refs = tracedRefs(shelves.refs, tracing?.trace);
  const blobs = tracedBlobs(retryWhenFull(shelves.blobs(name)), tracing?.trace);
  const removals = (): number => shelves.removals();
  const closure =
    tracing === undefined
      ? new Closure(blobs, removals, closing)
      : new TracedClosure(blobs, removals, closing, tracing.trace);
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
