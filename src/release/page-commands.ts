import { type Html, html } from "./html.ts";
import type { ReleaseList } from "./release-list.ts";

/** Stands in commands where the repository does not say its address. */
const addressUnknown = "https://ADDRESS/OF/THIS/PAGE";

/** What a shell takes as one plain word. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** How to pull and verify, as commands for this repository. */
export function pullAndVerify(list: ReleaseList): Html {
  const { url, releases } = list;
  const heads = releases.filter(({ current }) => current);
  // Nobody is led to a branch that has ended, as long as there is another.
  const branch = (heads.find(({ endOfLife }) => endOfLife === null) ?? heads[0])?.branch;
  if (branch === undefined) return html``;
  const lines = [
    `URL=${shellWord(url ?? addressUnknown)}`,
    ...remoteCommands(list),
    ...pullCommands(list.name, branch),
  ];
  const manifest = releases.some((each) => each.branch === branch && each.current && each.manifest !== null);
  return html`<section id="verify">
<h2>Pull and verify</h2>
<p>With <code>ostree</code>, which checks every object${
    list.keys.length === 0 ? "; there are no signatures to check" : " and, with the keys below, every signature"
  }:</p>
<pre>${lines.join("\n")}</pre>
${
  manifest
    ? html`<p>What a release was made of stands in its manifest, whose checksum is in the signed commit. Both lines print the same checksum:</p>
<pre>${manifestCommands(list.name, branch).join("\n")}</pre>
`
    : undefined
}<p>With Stillage, on a copy of this directory, all that there is, with no connection to anywhere:</p>
<pre>${verifyCommand(list)}</pre>
</section>
`;
}

/** Adds the repository as a remote that has to be signed by these keys. */
export function remoteCommands({ name, keys }: ReleaseList): readonly string[] {
  const remote = shellWord(name);
  const gpg = [...new Set(keys.filter(({ kind }) => kind === "gpg").flatMap(({ files }) => files.slice(0, 1)))];
  if (gpg.length > 0) {
    const sources = gpg.map((path) => `"$URL"/${path}`).join(" ");
    return [
      `curl -fsS ${sources} > signers.gpg`,
      "gpg --show-keys signers.gpg",
      "ostree init --repo=repo --mode=bare-user",
      `ostree remote add --repo=repo --gpg-import=signers.gpg --set=gpg-verify-summary=true ${remote} "$URL"/repo`,
    ];
  }
  const inline = keys.flatMap((each) => (each.inline === null ? [] : [each.inline]));
  const verify = inline.map((key) => `--sign-verify=ed25519=inline:${key}`);
  const trust = verify.length === 0 ? "--no-sign-verify" : `${verify[0]} --set=sign-verify-summary=true`;
  return [
    "ostree init --repo=repo --mode=bare-user",
    `ostree remote add --repo=repo --no-gpg-verify ${trust} ${remote} "$URL"/repo`,
  ];
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
