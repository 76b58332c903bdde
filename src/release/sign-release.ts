import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { releaseMeant } from "./history.ts";
import type { Payload } from "./payloads.ts";
import type { PreparedRelease } from "./prepared.ts";
import { listPrepared, readPrepared } from "./prepared-files.ts";
import { readKeyDirectory } from "./public-keys.ts";
import type { ReleaseRecord } from "./release-record.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { exportPayloads } from "./sign-export.ts";
import { type MadeSignature, readMadeSignatures } from "./sign-import.ts";
import { givenPayloads, givePayloads, keepSignatures } from "./sign-prepared.ts";
import { addToPublished, publishedPayloads, signPayloads } from "./sign-published.ts";
import { openSigners } from "./signer.ts";
import { publishKeys } from "./signing.ts";

/** What somebody signs: a release that is prepared, or one that is published already. */
type Signable = { readonly prepared: PreparedRelease } | { readonly published: ReleaseRecord };

/** A prepared release by the beginning of its name, or else what `releaseMeant` finds. Errors: `not-found`. */
async function signable({ archive, repository }: ReleaseWriter, text: string): Promise<Signable> {
  const prepared = /^[0-9a-f]{4,16}$/.test(text) ? await listPrepared(repository.layout) : [];
  if (prepared.some((id) => id.startsWith(text))) {
    return { prepared: await readPrepared(repository.layout, text) };
  }
  return { published: await releaseMeant(archive, text) };
}

/** Gives out what is to be signed elsewhere: files in a directory. */
export async function giveOut(
  writer: ReleaseWriter,
  text: string,
  directory: string,
  clock: Clock,
): Promise<readonly Payload[]> {
  const meant = await signable(writer, text);
  const payloads =
    "prepared" in meant
      ? await givePayloads(writer, meant.prepared, clock)
      : await publishedPayloads(writer, meant.published);
  await exportPayloads(directory, nameOf(meant), payloads);
  return payloads;
}

/** Takes signatures that were made elsewhere: all of them are good, or none is taken. Errors: `invalid`, naming the file. */
export async function takeIn(
  writer: ReleaseWriter,
  text: string,
  files: readonly string[],
): Promise<readonly MadeSignature[]> {
  const meant = await signable(writer, text);
  const payloads =
    "prepared" in meant ? await givenPayloads(meant.prepared) : await publishedPayloads(writer, meant.published);
  const keys = await readKeyDirectory(writer.repository.layout.keys);
  const made = await readMadeSignatures(files, payloads, keys);
  await keep(writer, meant, made);
  return made;
}

/** Signs by the repository's own signers. Errors: `failed-precondition` where there are none. */
export async function signHere(writer: ReleaseWriter, text: string): Promise<readonly MadeSignature[]> {
  const meant = await signable(writer, text);
  const signers = await openSigners(writer.repository.settings.signers);
  if (signers.length === 0) {
    throw new StillageError("failed-precondition", `${writer.repository.name} has no signers of its own`, {
      hint: "name some in its repository.yaml, or sign elsewhere: `release sign --export`",
    });
  }
  await publishKeys(writer.repository, signers);
  const payloads =
    "prepared" in meant ? await givenPayloads(meant.prepared) : await publishedPayloads(writer, meant.published);
  const made = await signPayloads(writer, payloads, signers);
  await keep(writer, meant, made);
  return made;
}

async function keep(writer: ReleaseWriter, meant: Signable, made: readonly MadeSignature[]): Promise<void> {
  if ("prepared" in meant) await keepSignatures(meant.prepared, made);
  else await addToPublished(writer, meant.published.commit, made);
}

function nameOf(meant: Signable): string {
  return "prepared" in meant ? meant.prepared.id : meant.published.commit;
}
