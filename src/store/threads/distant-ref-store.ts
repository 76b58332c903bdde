import type { ThreadLine } from "../../base/thread-line.ts";
import type {
  ArtifactName,
  ArtifactQuery,
  ArtifactRefs,
  ElementAndKey,
  FoundArtifact,
  ListedArtifact,
} from "../artifact-refs.ts";
import { unpackListing } from "../packed-refs.ts";
import type { RefKind } from "../ref-admin.ts";
import { checkRef } from "../ref-limits.ts";
import type { NewRef, Ref, RefListing, RefName, RefStore, Space } from "../ref-store.ts";
import { foundOfPlain, listedOfPlain, plainNewRef, refOfPlain } from "./plain.ts";
import type { RefAsks } from "./ref-desk.ts";

/** The refs that another thread has. Closing it is that thread's. */
export class DistantRefStore implements RefStore {
  readonly artifacts: ArtifactRefs;
  private readonly line: ThreadLine<RefAsks>;

  constructor(line: ThreadLine<RefAsks>) {
    this.line = line;
    this.artifacts = new DistantArtifactRefs(line);
  }

  async get(name: RefName): Promise<Ref | undefined> {
    const { space, instance } = name;
    const found = await this.line.ask("ref", { space, instance, name: name.name });
    return found && refOfPlain(found);
  }

  async put(refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) checkRef(ref);
    await this.line.ask("putRefs", refs.map(plainNewRef));
  }

  remove({ space, instance, name }: RefName): Promise<void> {
    return this.line.ask("removeRef", { space, instance, name });
  }

  async listed({ space, instance }: RefKind, known?: number): Promise<RefListing | undefined> {
    const packed = await this.line.ask("listedRefs", { space, instance }, known);
    return packed && unpackListing(packed);
  }

  count(space: Space): Promise<number> {
    return this.line.ask("countRefs", space);
  }

  async close(): Promise<void> {}
}

class DistantArtifactRefs implements ArtifactRefs {
  private readonly line: ThreadLine<RefAsks>;

  constructor(line: ThreadLine<RefAsks>) {
    this.line = line;
  }

  async list(query: ArtifactQuery): Promise<ListedArtifact[]> {
    const { after } = query;
    const position = after && { project: after.project, element: after.element, pushed: after.pushed, id: after.id };
    return (await this.line.ask("artifacts", { ...query, after: position })).map(listedOfPlain);
  }

  async find(instance: string, { project, element, key }: ArtifactName): Promise<FoundArtifact | undefined> {
    const found = await this.line.ask("artifact", instance, { project, element, key });
    return found && foundOfPlain(found);
  }

  projectOf(instance: string, { project, element, key }: ElementAndKey): Promise<string | undefined> {
    return this.line.ask("projectOf", instance, { project, element, key });
  }

  count(instance: string): Promise<number> {
    return this.line.ask("countArtifacts", instance);
  }
}
