// Prints the package's copyright file (machine-readable, copyright-format 1.0): ours, Node's, and that of each package on standard input.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

const root = new URL("../..", import.meta.url).pathname;
const [nodeLicence] = process.argv.slice(2);
if (nodeLicence === undefined) throw new Error("usage: copyright.ts LICENSE-OF-NODE < FOLDERS");
const folders = readFileSync(0, "utf8").split("\n").filter(Boolean);
const reference = "On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.";
const prefix = "usr/lib/stillage";

console.log(`Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Stillage

Files: *
Copyright: Stillage contributors
License: Apache-2.0
 ${reference}
`);

for (const folder of folders) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const full = licenceOf(folder);
  const lines = full.split("\n");
  // Debian has the text of that one already.
  const text = /Apache License\s+Version 2\.0/.test(full) ? reference : full;
  const said = lines
    .filter((line) => /^\s*Copyright \(?c?\)?.*\d{4}|^\s*Copyright .*\d{4}/i.test(line))
    .map((line) => line.trim());
  const author = typeof manifest.author === "object" ? manifest.author.name : manifest.author;
  const holders = said.length > 0 ? said : [`${author ?? manifest.name} and contributors`];
  paragraph(
    `${prefix}/node_modules/${manifest.name}/*`,
    holders,
    `${manifest.license} (${manifest.name} ${manifest.version})`,
    text,
  );
}

paragraph(
  `${prefix}/dist/*`,
  ["Stillage contributors, and those of the bundled packages, whom the text names"],
  "Apache-2.0, and of the bundled packages MIT, ISC and BSD-3-Clause",
  `${reference}\n\n${readFileSync(join(root, "dist/LICENSES"), "utf8")}`,
);

paragraph(
  `${prefix}/runtime/node`,
  ["Node.js contributors, and those whom the text names"],
  "Node.js",
  readFileSync(nodeLicence, "utf8"),
);
paragraph(
  `${prefix}/runtime/libatomic.so.1`,
  ["Free Software Foundation, Inc."],
  "GPL-3+ with GCC Runtime Library Exception 3.1",
  "Part of GCC, as Debian's libatomic1 has it. The exception permits conveying it with programs of any licence. On Debian systems the\nwhole text of the GPL is in /usr/share/common-licenses/GPL-3. Its source is that of Debian's package gcc-12.",
);

function paragraph(files: string, copyright: readonly string[], licence: string, text: string): void {
  const indented = text
    .trimEnd()
    .split("\n")
    .map((line) => (line.trim() === "" ? " ." : ` ${line.trimEnd()}`));
  console.log(`Files: ${files}\nCopyright: ${copyright.join("\n ")}\nLicense: ${licence}\n${indented.join("\n")}\n`);
}

/** The text that came with a package; the few that bring none say in their manifest which one it is. */
function licenceOf(folder: string): string {
  const [file] = globSync("{LICEN[CS]E,licen[cs]e}*", { cwd: folder }).sort();
  if (file !== undefined) return readFileSync(join(folder, file), "utf8");
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  if (manifest.license?.includes("Apache-2.0")) return readFileSync(join(root, "LICENSE"), "utf8");
  // A platform's part of a package that has the text.
  const whole = folder.replace(/-(linux|darwin|win32)-[\w-]+$/, "");
  if (whole !== folder) return licenceOf(whole);
  throw new Error(`${folder} has no licence`);
}
