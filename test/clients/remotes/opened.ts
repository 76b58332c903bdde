import assert from "node:assert/strict";
import type { IndexedArtifact } from "../../../src/client/artifact-index.ts";
import { type OpenRemoteOptions, openRemote } from "../../../src/client/connection/open-remotes.ts";
import type { RemotePlace } from "../../../src/client/connection/remote-place.ts";
import { remoteAt } from "../../../src/client/remote-spec.fixture.ts";
import type { RemoteSpec } from "../../../src/client/remote-spec.ts";
import { copyArtifact, copyBudget } from "../../../src/client/transfer/copy-artifact.ts";
import type { Generation } from "../../../src/store/artifact-refs.ts";
import { storedName } from "../bst2/catalogue.ts";
import type { BstClient } from "../support/bst.ts";
import type { Project } from "../support/project.ts";

export const { signal } = new AbortController();

export type SpecChanges = Partial<Omit<RemoteSpec, "auth">> & { readonly auth?: Partial<RemoteSpec["auth"]> };

/** A remote as a configuration would describe it. Refusals show at once. */
export function specOf(url: string, { auth, ...more }: SpecChanges = {}): RemoteSpec {
  const plain = remoteAt(url, more);
  return { ...plain, auth: { ...plain.auth, ...auth } };
}

export function open(
  server: { readonly address: string },
  more: SpecChanges = {},
  options: Partial<OpenRemoteOptions> = {},
): Promise<RemotePlace> {
  return openRemote(specOf(`http://${server.address}`, more), { signal, ...options });
}

/** `NAME: PULL, PUSH` of each protocol. */
export function spoken({ protocols }: Pick<RemotePlace, "protocols">): string[] {
  return protocols.map(({ name, pull, push }) => `${name}: ${pull.kind}, ${push.kind}`);
}

/** The strong keys that the client itself gives its elements, by the names under which artifacts of them are stored. */
export async function keysOf(
  client: BstClient,
  project: Project,
  elements: readonly string[],
): Promise<{ readonly element: string; readonly key: string }[]> {
  const format = ["--deps", "none", "--format", "%{name} %{full-key}"];
  const { stdout } = await client.ok(project, "show", ...format, ...elements);
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", key = ""] = line.split(" ");
      return { element: storedName(name), key };
    });
}

/** Finds an artifact that a client has pushed, and copies it, all of it and its names, to another server. */
export async function findAndCopy(
  from: RemotePlace,
  to: RemotePlace,
  wanted: { readonly element: string; readonly key: string; readonly generation: Generation },
): Promise<IndexedArtifact> {
  const { element, key, generation } = wanted;
  const found = await from.index?.find({ project: "harbour", element, keys: [key] }, signal);
  assert.ok(found !== undefined && from.blobs !== undefined, `${element} is not there`);
  assert.deepEqual([found.generation, found.keys], [generation, [key]]);
  const { outcome, lacking, faults } = await copyArtifact(found, [{ name: from.name, blobs: from.blobs }], to, {
    optional: "those-there",
    budget: copyBudget(),
    signal,
  });
  assert.deepEqual([outcome, lacking, faults], ["copied", [], []]);
  const again = await to.index?.find({ project: "harbour", element, keys: [key], generation }, signal);
  assert.deepEqual([again?.content, again?.generation], [found.content, generation]);
  return found;
}
