import { StillageError } from "../base/errors.ts";
import { decodeEnvelope } from "./dsse.ts";
import type { PreparedRelease, SignedCommit } from "./prepared.ts";
import type { PublicKey } from "./public-keys.ts";
import { Verifier } from "./verifier.ts";
import { verifyEnvelope } from "./verify-beside.ts";
import { verifyDetached } from "./verify-signatures.ts";

/** Whose signatures a commit needs before it is published: so many keys, or each of these. */
export type RequiredSignatures = { readonly count: number } | { readonly names: readonly string[] };

/** Errors: `failed-precondition`, which says whose signatures are there and whose are not. */
export async function checkRequired(
  required: RequiredSignatures,
  keys: readonly PublicKey[],
  prepared: Pick<PreparedRelease, "id" | "kept" | "commits">,
  signed: readonly SignedCommit[],
): Promise<void> {
  if ("count" in required && required.count === 0) return;
  await using verifier = await Verifier.open(keys);
  for (const { commit, branch, bytes } of prepared.commits) {
    const detached = signed.find((each) => each.commit === commit)?.detached;
    const found = detached === undefined ? [] : await verifyDetached(verifier, bytes, detached);
    // A key counts once, under however many names and by however many signatures.
    const signers = new Map(
      found.flatMap(({ verdict, key }) => (verdict === "valid" && key ? [[key.id, key.name]] : [])),
    );
    const names = new Set(signers.values());
    const missing = missingOf(required, signers.size, names);
    if (missing === undefined) {
      await checkProvenance(verifier, prepared, signed, commit, branch);
      continue;
    }
    const by = names.size === 0 ? "nobody has signed it" : `it is signed by ${[...names].join(", ")}`;
    throw new StillageError("failed-precondition", `the release on ${branch} needs ${missing}: ${by}`, {
      hint: unknownIn(required, keys) ?? howToSign(prepared),
    });
  }
}

/** Names that no key has, which nobody's signature will ever meet. */
function unknownIn(required: RequiredSignatures, keys: readonly PublicKey[]): string | undefined {
  if ("count" in required) return undefined;
  const known = [...new Set(keys.map(({ name }) => name))];
  const unknown = required.names.filter((each) => !known.includes(each));
  if (unknown.length === 0) return undefined;
  const there = known.length === 0 ? "there is none" : `there is ${known.join(", ")}`;
  return `no key in keys/ is called ${unknown.join(" or ")}: ${there}; \`release keys add\` adds one, and \`required-signatures\` names them`;
}

function howToSign({ id, kept }: Pick<PreparedRelease, "id" | "kept">): string {
  return kept
    ? `\`release sign --export ${id} DIRECTORY\` gives out what is to be signed, and \`release sign --import ${id} FILE...\` takes the signatures in`
    : "make it with `release prepare`, or with --prepare of `rollback` and `end-of-life`; what is prepared can be signed elsewhere and then published";
}

/** Who built it is not to be said by nobody: `release verify` would refuse the release. Errors: `failed-precondition`. */
async function checkProvenance(
  verifier: Verifier,
  { id }: Pick<PreparedRelease, "id">,
  signed: readonly SignedCommit[],
  commit: string,
  branch: string,
): Promise<void> {
  const envelope = signed.find((each) => each.commit === commit)?.envelope;
  if (envelope === undefined) return;
  const found = await verifyEnvelope(verifier, decodeEnvelope(envelope));
  if (found.some(({ verdict }) => verdict === "valid")) return;
  throw new StillageError("failed-precondition", `no known key has signed the provenance of the release on ${branch}`, {
    hint: `sign ${commit.slice(0, 16)}.provenance, too: \`release sign --export ${id} DIRECTORY\` gives it out`,
  });
}

function missingOf(required: RequiredSignatures, count: number, names: ReadonlySet<string>): string | undefined {
  if ("count" in required) {
    return count >= required.count ? undefined : `the signatures of ${required.count} known keys`;
  }
  const missing = required.names.filter((each) => !names.has(each));
  return missing.length === 0 ? undefined : `the signature of ${missing.join(" and of ")}`;
}
