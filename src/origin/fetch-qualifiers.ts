import { StillageError } from "../base/errors.ts";
import { type AssetKind, maxQualifierLength, maxQualifiers, type Qualifier } from "../cache/asset-name.ts";
import { addForwarded, type ForwardedHeaders } from "./forwarded-headers.ts";
import { type Integrity, parseIntegrity, showIntegrity } from "./integrity.ts";
import { isWebUri, parseOriginUrl } from "./origin-url.ts";

/** What the qualifiers of a fetch say (remote_asset.proto, "Qualifiers"). */
export interface FetchQualifiers {
  readonly integrity: Integrity | undefined;
  /** Bazel's: what was found under another name is not wanted, even where its checksum is right. */
  readonly canonicalId: string | undefined;
  /** The directory in an archive that is wanted, its segments; empty for all of it. */
  readonly directory: readonly string[];
  /** For each URI of the request, what its host is to be told. */
  readonly headers: readonly ForwardedHeaders[];
  /**
   * Those that say which content is meant. Headers do not where there is a checksum: who knows that may have what it is of, as with any
   * digest. `undefined` where only who sends the same headers may see the content, which so has no name that others could use.
   */
  readonly identity: readonly Qualifier[] | undefined;
}

const forAll = "http_header:";
const forOne = "http_header_url:";
/** Bazel before 7: a JSON object of headers by URI. */
const legacyHeaders = "bazel.auth_headers";

/** Kinds of resources that a download does not give. */
const notDownloads = /^application\/(x-)?(git|hg|mercurial|svn|subversion|bzr|cvs|fossil)$/i;
/** RFC 6838, section 4.2; parameters may follow. */
const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(\s*;.*)?$/i;

/** More than these are not worth listing: the answer has to fit into headers. */
const maxViolations = 8;

/**
 * Reads the qualifiers of a fetch of `uris`. Errors: `invalid`, with what is wrong as `qualifiers.NAME`: one that is not known might change
 * what is meant, so it is never left out of account.
 */
export function readQualifiers(
  kind: AssetKind,
  uris: readonly string[],
  qualifiers: readonly Qualifier[],
): FetchQualifiers {
  checkBounds(qualifiers);
  const reading = new Reading(kind, uris);
  const failures = qualifiers.flatMap(({ name, value }) => {
    try {
      reading.take(name, value);
      return [];
    } catch (error) {
      if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
      return [{ field: `qualifiers.${name.slice(0, 100)}`, description: error.message }];
    }
  });
  if (failures.length === 0) return reading.result();
  const violations = failures.slice(0, maxViolations);
  const reasons = violations.map(({ field, description }) => `${field}: ${description}`);
  throw new StillageError("invalid", reasons.join("; "), { violations });
}

function checkBounds(qualifiers: readonly Qualifier[]): void {
  const length = qualifiers.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  if (qualifiers.length > maxQualifiers || length > maxQualifierLength) {
    throw new StillageError("invalid", "the qualifiers are too many or too long");
  }
}

class Reading {
  private readonly kind: AssetKind;
  private readonly uris: readonly string[];
  private readonly general = new Map<string, string>();
  private readonly special: Map<string, string>[];
  private readonly identity: Qualifier[] = [];
  private integrity: Integrity | undefined;
  private canonicalId: string | undefined;
  private directory: readonly string[] = [];

  constructor(kind: AssetKind, uris: readonly string[]) {
    this.kind = kind;
    this.uris = uris;
    this.special = uris.map(() => new Map());
  }

  take(name: string, value: string): void {
    if (name.startsWith(forOne)) this.takeHeaderOfOne(name.slice(forOne.length), value);
    else if (name.startsWith(forAll)) addForwarded(this.general, name.slice(forAll.length), value);
    else if (name === legacyHeaders) this.takeLegacyHeaders(value);
    else if (name === "directory") this.takeDirectory(value);
    else this.identity.push({ name, value: this.takeIdentity(name, value) });
  }

  result(): FetchQualifiers {
    const headers = this.special.map((special) => new Map([...this.general, ...special]));
    const open = this.integrity !== undefined || headers.every(({ size }) => size === 0);
    const { integrity, canonicalId, directory } = this;
    return { integrity, canonicalId, directory, headers, identity: open ? this.identity : undefined };
  }

  /** A qualifier that says which content is meant, in its one spelling. */
  private takeIdentity(name: string, value: string): string {
    switch (name) {
      case "checksum.sri":
        this.integrity = parseIntegrity(value);
        return showIntegrity(this.integrity);
      case "bazel.canonical_id":
        this.canonicalId = value;
        return value;
      case "resource_type":
        if (!mediaType.test(value)) throw new StillageError("invalid", "it is no media type");
        if (notDownloads.test(value))
          throw new StillageError("invalid", `${value} is not fetched here, only files are`);
        return value;
      default:
        throw new StillageError("invalid", "this qualifier is not supported");
    }
  }

  /** `N:NAME` */
  private takeHeaderOfOne(rest: string, value: string): void {
    const [, index = "", name = ""] = /^(\d{1,3}):(.*)$/s.exec(rest) ?? [];
    const headers = this.special[Number(index === "" ? -1 : index)];
    if (headers === undefined) throw new StillageError("invalid", "its number is that of no URI of the request");
    addForwarded(headers, name, value);
  }

  private takeLegacyHeaders(value: string): void {
    const concerned = this.byUriAndOrigin();
    for (const [key, headers] of Object.entries(parseLegacy(value))) {
      const those = new Set([...(concerned.get(key) ?? []), ...(concerned.get(URL.parse(key)?.href ?? "") ?? [])]);
      for (const [name, each] of Object.entries(headers)) {
        for (const special of those) addForwarded(special, name, each);
      }
    }
  }

  /** The headers of each URI, by that and by its origin with a slash behind it. */
  private byUriAndOrigin(): Map<string, Map<string, string>[]> {
    const found = new Map<string, Map<string, string>[]>();
    for (const [i, uri] of this.uris.entries()) {
      if (!isWebUri(uri)) continue;
      const special = this.special[i] as Map<string, string>;
      for (const key of [uri, `${parseOriginUrl(uri).url.origin}/`])
        found.set(key, [...(found.get(key) ?? []), special]);
    }
    return found;
  }

  private takeDirectory(value: string): void {
    if (this.kind !== "directory") throw new StillageError("invalid", "only a directory has directories");
    const segments = value.split("/").filter((each) => each !== "" && each !== ".");
    if (value.startsWith("/") || segments.includes("..")) {
      throw new StillageError("invalid", "it is no relative path inside the archive");
    }
    this.directory = segments;
    if (segments.length > 0) this.identity.push({ name: "directory", value: segments.join("/") });
  }
}

/** `{"https://host/path": {"Authorization": "…"}}` */
function parseLegacy(text: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const bad = new StillageError("invalid", "it is no JSON object of headers by URI");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw bad;
  }
  if (!isObject(parsed)) throw bad;
  for (const headers of Object.values(parsed)) {
    if (!isObject(headers) || !Object.values(headers).every((each) => typeof each === "string")) throw bad;
  }
  return parsed as Record<string, Record<string, string>>;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
