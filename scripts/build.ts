// Bundles the programs, their workers and the library into dist/, where bin/ and the package find them. Usage: node scripts/build.ts [FOLDER]
import { globSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type BuildOptions, build } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
const outdir = join(root, process.argv[2] ?? "dist");
const programs = {
  stillage: "src/main.ts",
  "bst-artifact-server": "src/bst-artifact-server.ts",
  "bst-artifact-receive": "src/bst-artifact-receive.ts",
};
interface Description {
  readonly engines: { readonly node: string };
  readonly dependencies: object;
  readonly optionalDependencies: object;
}
const description = JSON.parse(await readFile(`${root}/package.json`, "utf8")) as Description;

/** Small packages that every command needs: in the programs' own files they are read in a fourth of the time. Others stay where npm puts them. */
const bundled = ["@bufbuild/protobuf", "commander", "yaml"];
const { dependencies, optionalDependencies } = description;

const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  target: `node${description.engines.node.replace(/\D/g, "")}`,
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !bundled.includes(name)),
  // Its modules: what Node gets are scripts of old, of which all is read.
  alias: { yaml: `${root}/node_modules/yaml/browser/index.js` },
  sourcemap: "linked",
  // Names of classes and functions stand in logs.
  keepNames: true,
  logLevel: "warning",
} satisfies BuildOptions;

const { "object-writer.worker": writer = "", ...others } = workers();

await rm(outdir, { recursive: true, force: true });
await build({
  ...options,
  entryPoints: { ...programs, library: "src/library.ts", ...others },
  // What a command loads when it is asked for is read then, and not before.
  splitting: true,
  plugins: [
    {
      name: "client program",
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\.\/client-program\.ts$/ }, () => ({ path: "./client-program.js", external: true })),
    },
  ],
});
// What is to begin at once is one file each.
await build({
  ...options,
  entryPoints: { "client-program": "src/cli/client-program.ts", "object-writer.worker": writer },
});
await writeFile(join(outdir, "LICENSES"), await licences());

/** A worker stands under its own name beside the bundle that starts it, so no two may have one name (see workerUrl). */
function workers(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const file of globSync("src/**/*.worker.ts", { cwd: root })) {
    const name = basename(file, ".ts");
    if (found[name] !== undefined) throw new Error(`two workers are called ${name}: ${found[name]} and ${file}`);
    found[name] = file;
  }
  return found;
}

/** What the licences of the bundled packages ask for: their texts, and that of Google's part of one, which is under Apache's like this project. */
async function licences(): Promise<string> {
  const modules = `${root}/node_modules`;
  const [google = ""] =
    /^(\/\/.*\n)+/.exec(await readFile(`${modules}/@bufbuild/protobuf/dist/esm/wire/varint.js`, "utf8")) ?? [];
  const texts = {
    "@bufbuild/protobuf": `Apache-2.0 (see LICENSE of this package), and in part:\n\n${google.replaceAll(/^\/\/ ?/gm, "")}`,
    commander: await readFile(`${modules}/commander/LICENSE`, "utf8"),
    yaml: await readFile(`${modules}/yaml/LICENSE`, "utf8"),
  };
  return Object.entries(texts)
    .map(([name, text]) => `${name}\n\n${text}`)
    .join(`\n${"-".repeat(80)}\n\n`);
}
