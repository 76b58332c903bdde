// Bundles the programs, their workers and the library into dist/, where bin/ and the package find them.
import { globSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import { build } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
const programs = {
  stillage: "src/main.ts",
  "bst-artifact-server": "src/bst-artifact-server.ts",
  "bst-artifact-receive": "src/bst-artifact-receive.ts",
};
const { engines } = JSON.parse(await readFile(`${root}/package.json`, "utf8")) as { engines: { node: string } };

await rm(`${root}/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { ...programs, library: "src/library.ts", ...workers() },
  outdir: "dist",
  bundle: true,
  // What a command loads when it is asked for is read then, and not before.
  splitting: true,
  format: "esm",
  platform: "node",
  target: `node${engines.node.replace(/\D/g, "")}`,
  // Dependencies stay where npm puts them: their licences, versions and security notices with them.
  packages: "external",
  sourcemap: "linked",
  // Names of classes and functions stand in logs.
  keepNames: true,
  logLevel: "warning",
});

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
