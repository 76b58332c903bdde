import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";
import { pullAndVerify } from "./page-commands.ts";
import type { ListedFile, ListedKey, ListedRelease, ListedSigner, ReleaseList } from "./release-list.ts";

const style = `
:root { color-scheme: light dark; --text: #1c2024; --faint: #5b6570; --line: #d5dae0; --back: #fff; --box: #f5f7f9; --link: #0b57b5; --good: #166534; --warn: #9a3412 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e8ec; --faint: #9aa5b1; --line: #343b44; --back: #14181d; --box: #1d232a; --link: #7db4f5; --good: #7ed89b; --warn: #f5a97f }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2 }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem }
h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere }
p { margin: .5rem 0 } .lead { white-space: pre-line } .faint { color: var(--faint) }
a { color: var(--link) } nav { display: flex; gap: 1rem; margin-top: .5rem }
code, pre { font: .875rem/1.5 ui-monospace, monospace }
code { overflow-wrap: anywhere }
pre { margin: .5rem 0; padding: .75rem 1rem; overflow-x: auto; background: var(--box); border: 1px solid var(--line); border-radius: 6px }
article { padding: 1rem 0; border-top: 1px solid var(--line) }
article header { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline }
time { margin-left: auto; color: var(--faint); white-space: nowrap }
.tag { padding: 0 .5em; border: 1px solid; border-radius: 99px; font-size: .8rem } .good { color: var(--good) } .warn { color: var(--warn) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0 0 } dt { color: var(--faint) } dd { margin: 0; min-width: 0 }
summary { cursor: pointer; color: var(--faint) }
table { width: 100%; border-collapse: collapse } th, td { padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { color: var(--faint); font-weight: 400 } td:nth-child(2) { white-space: nowrap }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem } time { margin-left: 0 } }
`;

/** Nothing but this page's own style is ever loaded or run, whatever stands in it. */
const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'`;

/** The page for people: it needs no script and nothing from elsewhere, and the same list always gives the same text. */
export function releasesPage(list: ReleaseList): string {
  const { title, description, releases, keys } = list;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: releases</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${description === null ? undefined : html`<p class="lead">${description}</p>\n`}<nav>
${releases.length === 0 ? undefined : html`<a href="#verify">Pull and verify</a>\n`}${
  keys.length === 0 ? undefined : html`<a href="#keys">Keys</a>\n`
}<a href="releases.json">For programs</a>
</nav>
</header>
<main>
<section>
<h2>Releases</h2>
${releases.length === 0 ? html`<p>Nothing has been released yet.</p>\n` : releases.map(release)}</section>
${pullAndVerify(list)}${keys.length === 0 ? undefined : keyTable(keys)}</main>
</body>
</html>
`;
  return page.text;
}

function release(given: ListedRelease): Html {
  const { branch, version, commit, content, date, subject, current, endOfLife, rebase, manifest, provenance } = given;
  const files = [manifest, provenance, ...given.files].filter((each) => each !== null);
  const taken = rebase === null ? undefined : html`, now <code>${rebase}</code>`;
  return html`<article id="${anchor(given)}">
<header>
<h3><bdi>${branch}</bdi>${version === null ? undefined : html` <bdi>${version}</bdi>`}</h3>
${current && endOfLife === null ? html`<span class="tag good">current</span>\n` : undefined}${
  endOfLife === null ? undefined : html`<span class="tag warn">end of life</span>\n`
}<time datetime="${date}">${date.slice(0, 10)}</time>
</header>
${subject === "" ? undefined : html`<p><bdi>${subject}</bdi></p>\n`}${
  endOfLife === null ? undefined : html`<p class="warn"><bdi>${endOfLife}</bdi>${taken}</p>\n`
}<dl>
<dt>Commit</dt><dd><code>${commit}</code></dd>
<dt>Content</dt><dd><code>${content}</code></dd>
<dt>Time</dt><dd>${date.replace("T", " ").replace("Z", " UTC")}</dd>
<dt>Signed by</dt><dd>${signers(given.signers)}</dd>
${files.length === 0 ? undefined : html`<dt>Files</dt><dd>${joined(files.map(file))}</dd>\n`}</dl>
${files.length === 0 ? undefined : checksums(files)}</article>
`;
}

function signers(list: readonly ListedSigner[]): Html | string {
  if (list.length === 0) return "nobody";
  return joined(
    list.map(({ kind, name, id }) => {
      const shown = name ?? (id === null ? "a key that is not listed here" : id);
      return html`<bdi>${shown}</bdi> <span class="faint">(${kindName[kind]})</span>`;
    }),
  );
}

const kindName = { gpg: "GPG", ed25519: "Ed25519" } as const;

function file({ name, path }: ListedFile): Html {
  return html`<a href="${href(path)}"><bdi>${name}</bdi></a>`;
}

/** As `sha256sum --check` takes it, in the directory that this page is in. */
function checksums(files: readonly ListedFile[]): Html {
  const lines = files.map(({ sha256, path }) => `${sha256}  ${path}`).join("\n");
  return html`<details><summary>SHA-256 of the files</summary>
<pre>${lines}</pre>
</details>
`;
}

function keyTable(keys: readonly ListedKey[]): Html {
  const row = ({ kind, name, id, files }: ListedKey): Html => {
    const links = files.map((path) => html`<a href="${href(path)}">${path.slice(path.lastIndexOf("/") + 1)}</a>`);
    return html`<tr><td><bdi>${name}</bdi></td><td>${kindName[kind]}</td><td><code>${id}</code></td><td>${joined(links)}</td></tr>
`;
  };
  return html`<section id="keys">
<h2>Keys</h2>
<p>Compare them with what you have from elsewhere: whoever could change this page could change these too.</p>
<table>
<thead><tr><th>Name</th><th>Kind</th><th>Fingerprint</th><th>Files</th></tr></thead>
<tbody>
${keys.map(row)}</tbody>
</table>
</section>
`;
}

function joined(parts: readonly Html[]): Html {
  return new Html(parts.map(({ text }) => text).join(", "));
}

/** Where a release stands on the page; a commit can be on several branches only by being pushed there. */
function anchor({ branch, commit }: ListedRelease): string {
  return `${branch}@${commit.slice(0, 12)}`;
}

/** A path from the page to a file beside it. */
function href(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
