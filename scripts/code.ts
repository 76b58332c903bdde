// Leaves the code that V8 makes of the client's program in dist/ beside it, for the Node that runs this. Only what has been called has code, so an artifact is pushed and
// pulled here.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { startServer } from "../bench/server-process.ts";
import { codePath, compileScript, runScript, sealedCode } from "../src/base/compiled-script.ts";
import { type Digest, digestOf } from "../src/base/digest.ts";
import { sha256 } from "../src/base/digest-function.ts";
import { flag, MessageType, message, messages, text } from "../src/base/message.ts";
import { artifactMessage, digestMessage } from "../src/cache/artifact-message.ts";
import { layout2 } from "../src/client/local/cache-layout.ts";

const dist = join(import.meta.dirname, "../dist");
const program = join(dist, "client-program.cjs");

const home = await mkdtemp(join(tmpdir(), "stillage-code-"));
try {
  // What was not called for a while would be dropped. The code is marked with the flags that hold when it is taken.
  setFlagsFromString("--no-flush-bytecode");
  const script = compileScript(program, undefined);
  const { run } = runScript(script, program) as typeof import("../src/cli/client-program.ts");
  await moveArtifact(home, run);
  setFlagsFromString("--flush-bytecode");
  await writeFile(codePath(program), sealedCode(program, script.createCachedData()));
} finally {
  await rm(home, { recursive: true, force: true });
}
// A client's worker may still wait for more.
process.exit();

/** What users do most: a push, and one again; a pull, and one again; a pull of what is not there. */
async function moveArtifact(folder: string, run: (words: readonly string[]) => Promise<number>): Promise<void> {
  const [cache, other, project] = [join(folder, "cache"), join(folder, "other"), join(folder, "project")];
  const key = "1".repeat(64);
  await putArtifact(cache, "app/base", key);
  const serve = ["--max-semi-space-size=4", join(dist, "stillage.js"), "serve", join(folder, "store")];
  const launch = { command: process.execPath, args: [...serve, "--listen", "127.0.0.1:0"] };
  await using server = await startServer(launch, AbortSignal.timeout(60_000));

  await mkdir(project);
  await writeFile(join(project, "project.conf"), "name: app\nmin-version: 2.0\n");
  const servers = `artifacts:\n  servers:\n  - url: http://${server.address}\n    push: true\n`;
  await writeFile(join(folder, "buildstream.conf"), `cachedir: ${cache}\n${servers}`);
  for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"]) process.env[name] = folder;
  // A proxy would be asked for this machine's own address too.
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
  process.chdir(project);
  const name = `app/base/${key}`;
  const steps = [
    { words: ["artifact", "push", name] },
    { words: ["artifact", "push", name] },
    { words: ["artifact", "pull", name, "--cache", other] },
    { words: ["artifact", "pull", name, "--cache", other] },
    { words: ["artifact", "pull", `app/base/${"2".repeat(64)}`], status: 1 },
  ];
  for (const { words, status = 0 } of steps) {
    const found = await quietly(() => run(words));
    if (found !== status) throw new Error(`stillage ${words.join(" ")} ended with ${found}`);
  }
}

/** Puts an artifact into a cache of BuildStream 2, as `bst` leaves it there. */
async function putArtifact(cache: string, element: string, key: string): Promise<void> {
  const { objects, refs } = layout2(cache);
  const put = async (bytes: Uint8Array): Promise<Digest> => {
    const digest = digestOf(sha256, bytes);
    const path = join(objects, digest.hash.slice(0, 2), digest.hash.slice(2));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes, { mode: 0o444 });
    return digest;
  };
  const pointer = ({ hash, size }: Digest) => ({ hash, sizeBytes: size });
  const entry = new MessageType("FileNode", {
    name: text(1),
    digest: message(2, digestMessage),
    isExecutable: flag(4),
  });
  const subdirectory = new MessageType("DirectoryNode", { name: text(1), digest: message(2, digestMessage) });
  const directory = new MessageType("Directory", { files: messages(1, entry), directories: messages(2, subdirectory) });

  const files = [];
  for (let i = 100; i < 400; i++) {
    const digest = pointer(await put(Buffer.from(`file ${i}\n`.repeat(i))));
    files.push({ name: `file-${i}`, digest, isExecutable: i % 2 === 0 });
  }
  const large = { name: "large", digest: pointer(await put(Buffer.alloc(5 << 20, "large"))), isExecutable: false };
  const inner = pointer(await put(directory.encode({ files })));
  const root = directory.encode({ files: [large], directories: [{ name: "inner", digest: inner }] });
  const artifact = artifactMessage.encode({
    ...{ version: 2, buildSuccess: true, strongKey: key, weakKey: key },
    files: pointer(await put(root)),
    logs: [{ name: "build.log", digest: pointer(await put(Buffer.from("built\n"))) }],
    publicData: pointer(await put(Buffer.from("bst: {}\n"))),
  });
  await mkdir(join(refs, element), { recursive: true });
  await writeFile(join(refs, element, key), artifact);
}

/** What commands say is for nobody here. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { write } = process.stdout;
  process.stdout.write = (...words: unknown[]): boolean => {
    const written = words.at(-1);
    if (typeof written === "function") queueMicrotask(() => written());
    return true;
  };
  try {
    return await work();
  } finally {
    process.stdout.write = write;
  }
}
