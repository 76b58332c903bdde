import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openClient } from "../../src/client/library/open-client.ts";
import { copyArtifact, copyBudget } from "../../src/client/transfer/copy-artifact.ts";
import { holdArtifact, memoryPlace } from "../../src/client/transfer/memory-place.fixture.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { startServer } from "../clients/support/stillage.ts";
import { blocksOf } from "../docs/markdown.ts";

/** The strictest that there is, and every declaration of the package is checked. */
const strict = {
  target: "es2024",
  lib: ["es2024", "esnext.disposable"],
  types: ["node"],
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};
const resolutions = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

const program = `
import { text } from "node:stream/consumers";
import { openClient, StillageError, type TransferReport } from "stillage";

const [url = "", cache = ""] = process.argv.slice(2);
await using client = await openClient({ remotes: [url], cache, remembersUnreachable: false });
const report: TransferReport = await client.pull(["harbour/app"]);
const app = await client.find("harbour/app");
const missing = await client.find("harbour/none").catch((error: unknown) => error);
console.log(report.results.copied, await text(app.read("top.txt")), missing instanceof StillageError && missing.code);
`;

/** Writes programs beside the installed package as somebody would who takes it, checks their types, and runs one against a server. */
export async function useLibrary(folder: string, store: string, cache: string): Promise<void> {
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await mkdir(join(folder, "node_modules/@types"), { recursive: true });
  await symlink(join(checkout, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  const page = readFileSync(join(checkout, "docs/LIBRARY.md"), "utf8");
  const programs = [program, ...blocksOf(page).flatMap(({ language, text }) => (language === "ts" ? [text] : []))];
  for (const [i, each] of programs.entries()) await writeFile(join(folder, `program-${i}.ts`), each);
  for (const resolution of resolutions) {
    const settings = { compilerOptions: { ...strict, ...resolution }, include: ["program-*.ts"] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
    await runOk(join(checkout, "node_modules/.bin/tsc"), ["-p", folder]);
  }
  // Importing it leaves nothing running, and loads no server and no database.
  const script = `await import("stillage"); console.log(process.getActiveResourcesInfo().filter((each) => !/Pipe|TTY/.test(each)), process.moduleLoadList.includes("NativeModule sqlite"))`;
  const asked = ["--input-type=module", "--eval", script];
  assert.equal(await runOk(process.execPath, asked, { cwd: folder }), "[] false\n");
  await using server = await startServer(store);
  await putArtifact(`http://${server.address}`);
  const words = [join(folder, "program-0.ts"), `http://${server.address}`, cache];
  assert.equal(await runOk(process.execPath, words, { cwd: folder }), "1 top not-found\n");
}

async function putArtifact(url: string): Promise<void> {
  const source = memoryPlace();
  const artifact = holdArtifact(source, { files: { "top.txt": "top" } });
  await using client = await openClient({ remotes: [url], remembersUnreachable: false });
  const [server] = await client.remotes();
  assert.ok(server);
  const signal = new AbortController().signal;
  await copyArtifact(artifact, [source], server, { optional: "none", budget: copyBudget(), signal });
}
