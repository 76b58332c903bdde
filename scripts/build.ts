// Bundles the programs, their workers and the library into dist/, where bin/ and the package find them. Usage: node scripts/build.ts [FOLDER]
import { existsSync, globSync, readdirSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { type BuildOptions, build, type Metafile } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
const outdir = outputFolder(process.argv[2]);
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

/** These stay where npm puts them. Small packages that every command needs are none of them: in the programs' own files they are read in a fourth of the time. */
const { dependencies, optionalDependencies } = description;

const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  target: `node${description.engines.node.replace(/\D/g, "")}`,
  external: Object.keys({ ...dependencies, ...optionalDependencies }),
  // Its modules: what Node gets are scripts of old, of which all is read.
  alias: { yaml: `${root}/node_modules/yaml/browser/index.js` },
  sourcemap: "linked",
  metafile: true,
  // Names of classes and functions stand in logs.
  keepNames: true,
  logLevel: "warning",
} satisfies BuildOptions;

const { "object-writer.worker": writer = "", ...others } = workers();

await rm(outdir, { recursive: true, force: true });
const many = await build({
  ...options,
  entryPoints: { ...programs, library: "src/library.ts", ...others },
  // What a command loads when it is asked for is read then, and not before.
  splitting: true,
  plugins: [
    {
      name: "client program",
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\.\/client-program\.ts$/ }, () => ({ path: `${root}/src/cli/built-client-program.ts` })),
    },
  ],
});
// What is to begin at once is one file each.
const writing = await build({ ...options, entryPoints: { "object-writer.worker": writer } });
// As a script, it can be loaded with its code, and the parts of Node that it imports are loaded when they are wanted.
const client = await build({
  ...options,
  entryPoints: { "client-program": "src/cli/client-program.ts" },
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  supported: { "dynamic-import": false },
  banner: { js: 'const scriptUrl=require("node:url").pathToFileURL(__filename).href;' },
  define: { "import.meta.url": "scriptUrl" },
  minifySyntax: true,
  minifyWhitespace: true,
});
await writeFile(join(outdir, "LICENSES"), await licences([many, writing, client].map(({ metafile }) => metafile)));

/** Whatever is in it goes, so it is one that is new, empty or of an earlier build. */
function outputFolder(said: string | undefined): string {
  if (said === undefined) return join(root, "dist");
  const folder = resolve(said);
  // From a folder that holds the checkout, or is it, the way to it goes down or nowhere.
  const holdsCheckout = !relative(folder, root).startsWith("..");
  if (said === "" || holdsCheckout || (existsSync(folder) && !isEarlierBuild(readdirSync(folder))))
    throw new Error(`"${said}" is no folder for a build: it is to be new, empty, or that of an earlier one`);
  return folder;
}

function isEarlierBuild(names: readonly string[]): boolean {
  return names.length === 0 || names.includes("LICENSES");
}

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

/** What the licences of the bundled packages ask for: their texts. */
async function licences(files: readonly Metafile[]): Promise<string> {
  const found = new Set<string>();
  for (const path of files.flatMap(({ inputs }) => Object.keys(inputs))) {
    const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
    if (name !== undefined) found.add(name);
  }
  const texts = [...found].sort().map(async (name) => `${name}\n\n${await licenceOf(name)}`);
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

/** Of one package: the text it has, or what it has instead: Apache's, as this project, and Google's of a part. */
async function licenceOf(name: string): Promise<string> {
  const folder = `${root}/node_modules/${name}`;
  if (name !== "@bufbuild/protobuf") return readFile(`${folder}/LICENSE`, "utf8");
  const [google = ""] = /^(\/\/.*\n)+/.exec(await readFile(`${folder}/dist/esm/wire/varint.js`, "utf8")) ?? [];
  return `Apache-2.0 (see LICENSE of this package), and in part:\n\n${google.replaceAll(/^\/\/ ?/gm, "")}`;
}
