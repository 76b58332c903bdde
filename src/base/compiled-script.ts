// Imported, parts of Node are loaded with all that they export: of node:fs also streams and what reads lines.
const { readFileSync } = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { Script } = process.getBuiltinModule("node:vm");

/** A script as V8 has it. */
export type CompiledScript = InstanceType<typeof Script>;

/** Where the code stands that V8 has made of a script: that of one Node does for no other. */
export function codePath(path: string): string {
  return path.replace(/cjs$/, `${process.version}-${process.arch}.code`);
}

/** A CommonJS script of ASCII, as a function of what such a script is given. `code` goes unused where this Node has other flags than the one that made it. */
export function compileScript(path: string, code: Buffer | undefined): CompiledScript {
  const source = `(function(require,module,__filename){${readFileSync(path, "latin1")}\n})`;
  return new Script(source, { filename: path, ...(code !== undefined && { cachedData: code }) });
}

/** Runs a compiled script; gives what it exports. */
export function runScript(script: CompiledScript, path: string): unknown {
  const module = { exports: {} };
  script.runInThisContext()(createRequire(path), module, path);
  return module.exports;
}

/** What a script exports, beside which its code may lie. */
export function loadScript(path: string): unknown {
  return runScript(compileScript(path, readCode(path)), path);
}

function readCode(path: string): Buffer | undefined {
  try {
    return readFileSync(codePath(path));
  } catch {
    return undefined; // it only takes longer
  }
}
