import { join } from "node:path";
import type { Command } from "commander";
import { Catalogue } from "../artifact/catalogue.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { Closure } from "../cache/closure.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { checkReadable, hasTenant, ReadOnlyTenant } from "../store/disk/read-only-store.ts";
import { openArtifacts } from "../store/sqlite/read-only-artifacts.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { type Output, standardOutput } from "./output.ts";
import { reportFailure } from "./report-failure.ts";
import { addStoreFlags, type StoreFlags, storeOf } from "./store-of.ts";

export interface StoreOptions extends StoreFlags {
  readonly instance?: string;
}

/** Gives a command what names a catalogue. */
export function addStoreOptions(command: Command): Command {
  return addStoreFlags(
    addUse(command, { statuses: { failed: "not found or a failure" } }),
    "its server may be running",
  ).option("--instance <NAME>", "The instance name, where there are several");
}

/** Opens the catalogue in a store's directory for reading, lets `work` at it, and gives the exit status. Failures are printed. */
export async function withCatalogue(
  { instance, ...flags }: StoreOptions,
  work: (catalogue: Catalogue, output: Output) => Promise<number>,
): Promise<number> {
  const store = storeOf(flags);
  if (store === undefined) return exitStatus.usage;
  try {
    using opened = openCatalogue(store, instance);
    return await work(opened.catalogue, standardOutput());
  } catch (error) {
    return reportFailure(error);
  }
}

/** A catalogue that is read beside the server, until it is disposed of. */
export interface OpenCatalogue extends Disposable {
  readonly catalogue: Catalogue;
  readonly blobs: BlobReader;
}

/** Errors: `failed-precondition` for what is no store, `not-found` for an instance that is not in it. */
export function openCatalogue(store: string, instance: string | undefined): OpenCatalogue {
  const directory = checkReadable(store);
  const artifacts = openArtifacts(join(directory, "refs.sqlite"), systemClock);
  try {
    const name = instanceMeant(instance, artifacts.instances(), directory);
    const blobs = new ReadOnlyTenant(directory, name);
    // Nothing is seen to be removed here: what there is is looked up once.
    const closure = new Closure(blobs, () => 0);
    const catalogue = new Catalogue({ instance: name, artifacts, blobs, closure });
    return { catalogue, blobs, [Symbol.dispose]: () => artifacts.close() };
  } catch (error) {
    artifacts.close();
    throw error;
  }
}

/** The instance of a name, also one that has no artifacts. Errors: `not-found`. */
export function instanceMeant(name: string | undefined, instances: readonly string[], directory: string): string {
  if (name === undefined) return defaultInstance(instances);
  if (instances.includes(name) || hasTenant(directory, name)) return name;
  throw new StillageError("not-found", `there is no instance ${JSON.stringify(name)} in this store`, {
    hint: instances.length === 0 ? "it has no artifacts at all" : `it has ${listed(instances)}`,
  });
}

function listed(instances: readonly string[]): string {
  return instances.map((each) => JSON.stringify(each)).join(", ");
}

function defaultInstance(instances: readonly string[]): string {
  const [only] = instances;
  if (instances.length <= 1 || instances.includes("")) return instances.length === 1 ? (only ?? "") : "";
  throw new StillageError("not-found", "there are several instances in this store, and none without a name", {
    hint: `name one with --instance: ${listed(instances)}`,
  });
}
