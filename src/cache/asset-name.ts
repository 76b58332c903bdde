import { StillageError } from "../base/errors.ts";

/** Blobs and directories are looked up apart: a URI may name one of each. */
export type AssetKind = "blob" | "directory";

export interface Qualifier {
  readonly name: string;
  readonly value: string;
}

/** Where an asset is found: any of the URIs, each with all the qualifiers. */
export interface AssetKey {
  readonly kind: AssetKind;
  readonly uris: readonly string[];
  readonly qualifiers: readonly Qualifier[];
}

/** URIs of one call. BuildStream sends two, a download with mirrors some ten. */
export const maxUris = 100;

/** Characters of a URI: signed download addresses take some 2,000. */
export const maxUriLength = 4096;

export const maxQualifiers = 100;

/** Characters of all the qualifiers of a call, which stand in every name: room for a header or two with credentials. */
export const maxQualifierLength = 8192;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f]/;

/**
 * The URIs of a key, in order and each once, with the ref names that they have: the kind, the URI and each qualifier as JSON, sorted,
 * on a line of its own. So names begin alike for what belongs together, and no two keys share one.
 * Errors: `invalid` for no URI, too many or too long ones, and qualifiers that are too long or share a name.
 */
export function assetNames({ kind, uris, qualifiers }: AssetKey): Map<string, string> {
  if (uris.length === 0) throw new StillageError("invalid", "the request names no URI");
  if (uris.length > maxUris) throw new StillageError("invalid", `more than ${maxUris} URIs in one request`);
  const suffix = nameOfQualifiers(qualifiers);
  const names = new Map<string, string>();
  for (const uri of uris) {
    if (uri === "" || uri.length > maxUriLength || control.test(uri) || !uri.isWellFormed()) {
      throw new StillageError(
        "invalid",
        `a URI has 1 to ${maxUriLength} printable characters; ${JSON.stringify(uri.slice(0, 100))} has not`,
      );
    }
    names.set(uri, `${kind}\n${uri}${suffix}`);
  }
  return names;
}

function nameOfQualifiers(qualifiers: readonly Qualifier[]): string {
  if (qualifiers.length === 0) return "";
  if (qualifiers.length > maxQualifiers) {
    throw new StillageError("invalid", `more than ${maxQualifiers} qualifiers in one request`);
  }
  if (new Set(qualifiers.map((each) => each.name)).size !== qualifiers.length) {
    throw new StillageError("invalid", "two qualifiers have the same name");
  }
  const lines = qualifiers.map(({ name, value }) => `\n${JSON.stringify([name, value])}`).sort();
  const suffix = lines.join("");
  if (suffix.length > maxQualifierLength) {
    throw new StillageError("invalid", `the qualifiers are longer than ${maxQualifierLength} characters`);
  }
  return suffix;
}
