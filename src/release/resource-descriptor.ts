import type { ManifestDependency, ManifestSource } from "./manifest.ts";

/** A thing that a statement speaks of: in-toto attestation framework 1, resource_descriptor.md. One of uri and digest is there. */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  /** Algorithm -> value: digest_set.md, and for BuildStream's own two `buildstreamCacheKey` and `reapiDirectory` (docs/RELEASES.md). */
  readonly digest?: Readonly<Record<string, string>>;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** What of a source in the manifest identifies it. */
export type SourceFacts = Pick<ManifestSource, "element" | "kind" | "url" | "medium" | "versionType" | "version">;

/** What SLSA's `resolvedDependencies` has of a source: where it is from and, where the version identifies it for good, its digest. */
export function describeSource(source: SourceFacts): ResourceDescriptor {
  const { element, kind, url, medium, versionType, version } = source;
  const uri = url === null ? undefined : uriOf(url, medium);
  const digest = digestOf(versionType, version ?? "");
  const facts = { element, kind, medium, versionType, version };
  return {
    // A source without an address, such as a directory of the project, has at least a name of its own.
    ...(uri === undefined ? { name: url ?? `${element}: ${kind}` } : { uri }),
    ...(digest === undefined ? {} : { digest }),
    // The specification wants one of uri, digest and content.
    ...(uri === undefined && digest === undefined ? { uri: `urn:stillage:source:${encodeURIComponent(kind)}` } : {}),
    annotations: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null)),
  };
}

/** A dependency is an artifact, known by the cache key that it was built under. */
export function describeDependency(
  dependency: Pick<ManifestDependency, "project" | "element" | "key">,
): ResourceDescriptor {
  const { project, element, key } = dependency;
  return { name: project === null ? element : `${project}/${element}`, digest: { buildstreamCacheKey: key } };
}

/** `scheme:` as RFC 3986 has it; one letter would be a drive. */
const schemed = /^[a-zA-Z][a-zA-Z0-9+.-]+:/;

/** `user@host:path`, as git and ssh take it. */
const remotePath = /^(?:([^/@:]+)@)?([^/@:]+):(?!\/\/)(.*)$/;

/** The version control system before the scheme, as SPDX has it for download locations (2.3, 7.7). */
const systems = new Map([
  ["git", "git"],
  ["bzr", "bzr"],
]);

/**
 * A URI whose scheme and host are in lower case, or `undefined` for what is no address: a path within the project. A password in it is
 * left out, because statements are published.
 */
function uriOf(url: string, medium: string | null): string | undefined {
  const system = systems.get(medium ?? "");
  if (!schemed.test(url) || (system === "git" && !url.includes("://"))) {
    const found = system === "git" ? remotePath.exec(url) : null;
    if (found === null) return undefined;
    const [, user, host = "", path = ""] = found;
    return `git+ssh://${user === undefined ? "" : `${user}@`}${host.toLowerCase()}/${path.replace(/^\/+/, "")}`;
  }
  const [, scheme = "", authority = "", rest = ""] = /^([^:]+:)(\/\/[^/?#]*)?(.*)$/s.exec(url) ?? [];
  const at = authority.lastIndexOf("@") + 1;
  const user = authority
    .slice(0, at)
    .replace(/:[^@]*@$/, "@")
    .replace(/^\/\/@$/, "//");
  const address = `${scheme.toLowerCase()}${user}${authority.slice(at).toLowerCase()}${rest}`;
  return system === undefined || address.startsWith(`${system}+`) || address.startsWith(`${system}:`)
    ? address
    : `${system}+${address}`;
}

function digestOf(versionType: string | null, text: string): ResourceDescriptor["digest"] {
  switch (versionType) {
    case "commit":
      return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? { gitCommit: text } : undefined;
    case "sha256":
      return /^[0-9a-f]{64}$/.test(text) ? { sha256: text } : undefined;
    case "oci-digest":
      return /^sha256:[0-9a-f]{64}$/.test(text) ? { sha256: text.slice("sha256:".length) } : undefined;
    case "cas-digest":
      return /^[0-9a-f]{64}\/[0-9]+$/.test(text) ? { reapiDirectory: text } : undefined;
    default:
      return undefined;
  }
}
