import type { Caller } from "../base/caller.ts";
import { hasRight, type Right, readingOnly, rightsOf } from "../base/rights.ts";
import type { Grant } from "./policy.ts";

/** A caller with the rights of a grant; where his connection came in by a listener that takes no writes, less those. */
export class GrantedCaller implements Caller {
  readonly name: string;
  readonly identified: boolean;
  private readonly grant: Grant;
  private readonly anyone: Grant;
  private readonly push: boolean;

  constructor(name: string | undefined, grant: Grant, anyone: Grant, push: boolean) {
    this.name = name ?? "anonymous";
    this.identified = name !== undefined;
    this.grant = grant;
    this.anyone = anyone;
    this.push = push;
  }

  may(right: Right, instance: string): boolean {
    const granted = this.grant(instance);
    return hasRight(this.push ? granted : readingOnly(granted), right);
  }

  isPublic(instance: string): boolean {
    return hasRight(this.anyone(instance), "pull");
  }
}

const everything = rightsOf(["admin"]);
const openGrant: Grant = () => everything;

/** Somebody who may do everything, as nobody is told from another, and whose name is known all the same. */
export function openCaller(name: string, push: boolean): Caller {
  return new GrantedCaller(name, openGrant, openGrant, push);
}

/** Whoever comes where nobody is told from another. */
export const openCallers = {
  pushing: new GrantedCaller(undefined, openGrant, openGrant, true),
  pulling: new GrantedCaller(undefined, openGrant, openGrant, false),
} as const;
