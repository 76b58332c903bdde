import type { Manifest, ManifestDependency, ManifestSource } from "./manifest.ts";

/** What became of one thing from a manifest to another: values in words, null where it was or is not there. */
export interface ManifestChange {
  readonly what: "artifact" | "source" | "dependency" | "attachment" | "metadata";
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** What differs between two manifests: key of the artifact, sources by element and place, dependencies by name, attachments, and metadata. */
export function manifestDiff(from: Manifest, to: Manifest): ManifestChange[] {
  return [
    ...changes("artifact", artifactIn(from), artifactIn(to)),
    ...changes("source", sourcesIn(from.sources), sourcesIn(to.sources)),
    ...changes("dependency", dependenciesIn(from.dependencies), dependenciesIn(to.dependencies)),
    ...changes("attachment", attachmentsIn(from), attachmentsIn(to)),
    ...changes("metadata", new Map(Object.entries(from.metadata)), new Map(Object.entries(to.metadata))),
  ];
}

type Named = ReadonlyMap<string, string>;

function changes(what: ManifestChange["what"], from: Named, to: Named): ManifestChange[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [from.get(name) ?? null, to.get(name) ?? null];
    return was === is ? [] : [{ what, name, from: was, to: is }];
  });
}

function artifactIn({ artifact }: Manifest): Named {
  return new Map(
    artifact === null ? [] : [[`${artifact.project}/${artifact.element}`, artifact.keys.strong ?? artifact.key]],
  );
}

function sourcesIn(sources: readonly ManifestSource[] | null): Named {
  const named = new Map<string, string>();
  for (const { element, kind, url, version } of sources ?? []) {
    const name = unique(named, `${element}: ${kind}${url === null ? "" : ` ${url}`}`);
    named.set(name, version ?? "no version");
  }
  return named;
}

function dependenciesIn(dependencies: readonly ManifestDependency[] | null): Named {
  const named = new Map<string, string>();
  for (const { project, element, key } of dependencies ?? []) {
    named.set(unique(named, project === null ? element : `${project}/${element}`), key);
  }
  return named;
}

function attachmentsIn({ attachments }: Manifest): Named {
  return new Map(attachments.map(({ name, sha256 }) => [name, sha256]));
}

/** A name that nothing has yet: of two things of one name the second is called so. */
function unique(named: Named, name: string): string {
  let [free, count] = [name, 1];
  while (named.has(free)) {
    count += 1;
    free = `${name} (${count})`;
  }
  return free;
}
