// Imported, parts of Node are loaded with all that they export: of node:fs also streams and what reads lines.
const { readFileSync } = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { Script } = process.getBuiltinModule("node:vm");
const { createHash } = process.getBuiltinModule("node:crypto");

/** A script as V8 has it. */
export type CompiledScript = InstanceType<typeof Script>;

/** Where the code stands that V8 has made of a script: that of one Node does for no other. */
export function codePath(path: string): string {
  return path.replace(/cjs$/, `${process.version}-${process.arch}.code`);
}

/** A CommonJS script of ASCII, as a function of what such a script is given. `code` goes unused where this Node has other flags than the one that made it. */
export function compileScript(path: string, code: Buffer | undefined): CompiledScript {
  const head = "(function(require,module,__filename){";
  const source = `${head}${readFileSync(path, "latin1")}\n})`;
  // Traces name places in the file.
  return new Script(source, {
    filename: path,
    columnOffset: -head.length,
    ...(code !== undefined && { cachedData: code }),
  });
}

/** Runs a compiled script; gives what it exports. */
export function runScript(script: CompiledScript, path: string): unknown {
  const module = { exports: {} };
  const required = createRequire(path);
  const require = (id: string): unknown => (rare.has(id) ? whenUsed(() => required(id)) : required(id));
  script.runInThisContext()(require, module, path);
  return module.exports;
}

/** Parts of Node that take a millisecond or more to load, and that few runs of a program make use of. */
const rare = new Set(
  ["child_process", "fs/promises", "http2", "sqlite", "tls", "worker_threads", "zlib"].map((name) => `node:${name}`),
);

/** A module that is loaded when something of it is first used. */
function whenUsed(load: () => object): object {
  let loaded: object | undefined;
  const module = (): object => {
    loaded ??= load();
    return loaded;
  };
  return new Proxy(
    {},
    {
      get: (_, name) => Reflect.get(module(), name),
      // An `import()` is bundled as a copy of all names.
      has: (_, name) => Reflect.has(module(), name),
      ownKeys: () => Reflect.ownKeys(module()),
      getOwnPropertyDescriptor(_, name) {
        const own = Reflect.getOwnPropertyDescriptor(module(), name);
        // What the target does not have cannot be told to be fixed.
        return own && { ...own, configurable: true };
      },
    },
  );
}

/** What a script exports, beside which its code may lie. */
export function loadScript(path: string): unknown {
  return runScript(compileScript(path, readCode(path)), path);
}

/** What belongs into the file at `codePath`. V8 knows code that is another script's by the length of that alone, and damaged code not at all: the seal is over both. */
export function sealedCode(path: string, code: Buffer): Buffer {
  return Buffer.concat([sealOf(path, code), code]);
}

function readCode(path: string): Buffer | undefined {
  try {
    const sealed = readFileSync(codePath(path));
    const code = sealed.subarray(sealBytes);
    return sealOf(path, code).equals(sealed.subarray(0, sealBytes)) ? code : undefined;
  } catch {
    return undefined; // it only takes longer
  }
}

/** Of SHA-256. */
const sealBytes = 32;

function sealOf(path: string, code: Buffer): Buffer {
  return createHash("sha256").update(readFileSync(path)).update(code).digest();
}
