import { type Html, html } from "./html.ts";
import type { ListedKey, ListedRelease, ReleaseList } from "./release-list.ts";

/** Stands in commands where the repository does not say its address. */
const addressUnknown = "https://ADDRESS/OF/THIS/PAGE";

/** What a shell takes as one plain word. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** How to pull and verify, as commands for this repository. */
export function pullAndVerify(list: ReleaseList): Html {
  const { url, releases } = list;
  const newest = releases.filter(({ current }) => current);
  const sample = newest.find(({ endOfLife }) => endOfLife === null) ?? newest[0];
  if (sample === undefined) return html``;
  const { branch } = sample;
  const lines = [
    `URL=${shellWord(url ?? addressUnknown)}`,
    ...remoteCommands(list, sample),
    ...pullCommands(list.name, branch),
  ];
  return html`<section id="verify">
<h2>Pull and verify</h2>
<p>With <code>ostree</code>, which checks every object${
    list.keys.length === 0 ? "; there are no signatures to check" : " and, with the keys below, every signature"
  }:</p>
<pre>${lines.join("\n")}</pre>
${
  sample.manifest !== null
    ? html`<p>What a release was made of stands in its manifest, whose checksum is in the signed commit. Both lines print the same checksum:</p>
<pre>${manifestCommands(list.name, branch).join("\n")}</pre>
`
    : undefined
}<p>With Stillage, on a copy of this directory, all that there is, with no connection to anywhere:</p>
<pre>${verifyCommand(list)}</pre>
</section>
`;
}

/**
 * Adds the repository as a remote that has to be signed by its keys: by those of GPG, where one of them has signed the release that is to be pulled, because
 * every `ostree` knows those; all keys of one kind, because any of them may sign the next.
 */
export function remoteCommands({ name, keys }: ReleaseList, { signers }: ListedRelease): readonly string[] {
  const remote = shellWord(name);
  const gpg = filesOf(keys, "gpg");
  const signs = (kind: ListedKey["kind"]): boolean => signers.some((each) => each.kind === kind && each.name !== null);
  const [inline, ...others] = keys.flatMap((each) => (each.inline === null ? [] : [each.inline]));
  if (gpg.length > 0 && (signs("gpg") || !signs("ed25519") || inline === undefined)) {
    const sources = gpg.map((path) => `"$URL"/${path}`).join(" ");
    return [
      `curl -fsS ${sources} > signers.gpg`,
      "gpg --show-keys signers.gpg",
      "ostree init --repo=repo --mode=bare-user",
      `ostree remote add --repo=repo --gpg-import=signers.gpg --set=gpg-verify-summary=true ${remote} "$URL"/repo`,
    ];
  }
  const inFile = others.length > 0;
  const sources = filesOf(keys, "ed25519").map((path) => `"$URL"/${path}`);
  const place = inFile ? 'file:"$PWD"/signers.ed25519' : `inline:${inline}`;
  const trust =
    inline === undefined ? "--no-sign-verify" : `--sign-verify=ed25519=${place} --set=sign-verify-summary=true`;
  return [
    ...(inFile ? [`curl -fsS ${sources.join(" ")} > signers.ed25519`] : []),
    "ostree init --repo=repo --mode=bare-user",
    `ostree remote add --repo=repo --no-gpg-verify ${trust} ${remote} "$URL"/repo`,
  ];
}

/** The first file of each key. */
function filesOf(keys: readonly ListedKey[], wanted: ListedKey["kind"]): readonly string[] {
  return [...new Set(keys.filter(({ kind }) => kind === wanted).flatMap(({ files }) => files.slice(0, 1)))];
}

function pullCommands(name: string, branch: string): readonly string[] {
  return [
    `ostree pull --repo=repo ${shellWord(name)} ${branch}`,
    `ostree show --repo=repo ${shellWord(`${name}:${branch}`)}`,
    `ostree checkout --repo=repo -U ${shellWord(`${name}:${branch}`)} checkout`,
  ];
}

function manifestCommands(name: string, branch: string): readonly string[] {
  const ref = shellWord(`${name}:${branch}`);
  return [
    `ostree show --repo=repo --print-metadata-key=stillage.manifest.sha256 ${ref}`,
    `curl -fsS "$URL/releases/$(ostree rev-parse --repo=repo ${ref})/manifest.json" | sha256sum`,
  ];
}

function verifyCommand({ keys }: ReleaseList): string {
  const trust = keys.length === 0 ? "" : " --keys KEYS";
  return `stillage release verify --all --repo COPY${trust}`;
}
