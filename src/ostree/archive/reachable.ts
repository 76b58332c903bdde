import type { Checksum, ObjectName } from "../object-name.ts";
import type { ArchiveRepository } from "./archive-repository.ts";
import type { ObjectSet } from "./stored-objects.ts";

/** What a commit needs was looked for and is not there, or cannot be read. */
export type Missing = (name: ObjectName, error?: unknown) => void;

/**
 * Adds to `reached` what the tree of a commit needs: its dirtrees, dirmetas and files. What is in it already is not walked again. Nothing fails: what
 * cannot be read is told to `missing`, and so is, where `isThere` says so, what is not there.
 */
export async function reachTree(
  repository: Pick<ArchiveRepository, "dirTree">,
  root: { readonly tree: Checksum; readonly treeMeta: Checksum },
  reached: ObjectSet,
  missing: Missing,
  isThere: (name: ObjectName) => boolean = () => true,
): Promise<void> {
  const dirtrees: Checksum[] = [];
  const reach = (name: ObjectName): void => {
    if (!reached.add(name)) return;
    if (name.type === "dirtree") dirtrees.push(name.checksum);
    else if (!isThere(name)) missing(name);
  };
  reach({ checksum: root.treeMeta, type: "dirmeta" });
  reach({ checksum: root.tree, type: "dirtree" });
  for (let checksum = dirtrees.pop(); checksum !== undefined; checksum = dirtrees.pop()) {
    const name = { checksum, type: "dirtree" } as const;
    const entries = await repository.dirTree(checksum).catch((error: unknown) => missing(name, error) ?? null);
    if (entries === undefined) missing(name);
    for (const file of entries?.files ?? []) reach({ checksum: file.checksum, type: "file" });
    for (const { tree, meta } of entries?.directories ?? []) {
      reach({ checksum: meta, type: "dirmeta" });
      reach({ checksum: tree, type: "dirtree" });
    }
  }
}
