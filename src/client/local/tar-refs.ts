import { globMatches } from "../../store/glob.ts";
import { maxMessageBytes } from "../../store/ref-limits.ts";
import type { ArtifactGlob } from "../artifact-index.ts";
import { checkedRefPath, refPath } from "./cache-layout.ts";
import type { ElementName, RefShelf } from "./ref-shelf.ts";
import type { Spool } from "./spool.ts";
import { type Extent, readFullySync } from "./tar-contents.ts";

/** The refs of one generation in an archive. */
export class TarRefs implements RefShelf {
  private readonly refs: Map<string, Extent>;
  private readonly spool: Spool;
  /** By `PROJECT/ELEMENT`. */
  private readonly elementKeys = new Map<string, Set<string>>();

  constructor(refs: Map<string, Extent>, spool: Spool) {
    this.refs = refs;
    this.spool = spool;
    for (const path of refs.keys()) this.note(path);
  }

  read(project: string, element: string, key: string): Uint8Array | undefined {
    const extent = this.refs.get(refPath(project, element, key) ?? "");
    if (extent === undefined || extent.size === 0 || extent.size > maxMessageBytes) return undefined;
    const bytes = new Uint8Array(extent.size);
    return readFullySync(extent.fd, bytes, extent.offset) === bytes.length ? bytes : undefined;
  }

  timesOf(): undefined {
    return undefined;
  }

  touch(): void {
    // nothing in an archive expires
  }

  *elements(glob: ArtifactGlob): Generator<ElementName> {
    for (const name of [...this.elementKeys.keys()].sort()) {
      const [project = "", element = ""] = name.split("/");
      if (globMatches(glob.project, project) && globMatches(glob.element, element)) yield { project, element };
    }
  }

  keys(project: string, element: string): string[] {
    return [...(this.elementKeys.get(`${project}/${element}`) ?? [])].sort();
  }

  async write(project: string, element: string, keys: readonly string[], bytes: Uint8Array): Promise<void> {
    const paths = keys.map((key) => checkedRefPath(project, element, key));
    const extent = this.spool.put(bytes);
    for (const path of paths) {
      this.refs.set(path, extent);
      this.note(path);
    }
  }

  remove(project: string, element: string, key: string): boolean {
    const path = refPath(project, element, key);
    if (path === undefined || !this.refs.delete(path)) return false;
    this.spool.changed();
    this.elementKeys.get(`${project}/${element}`)?.delete(key);
    return true;
  }

  private note(path: string): void {
    const at = path.lastIndexOf("/");
    const name = path.slice(0, at);
    const keys = this.elementKeys.get(name);
    if (keys === undefined) this.elementKeys.set(name, new Set([path.slice(at + 1)]));
    else keys.add(path.slice(at + 1));
  }
}
