import type { BuiltElement } from "./bst-graph.ts";

/** Kinds that run nothing in a sandbox: each takes milliseconds, and starting `bst` for it half a second. (A `compose` runs what its dependencies integrate with.) */
const quickKinds: ReadonlySet<string> = new Set(["import", "stack", "filter"]);

export const isQuick = ({ kind, workspaced }: BuiltElement): boolean => quickKinds.has(kind) && !workspaced;
