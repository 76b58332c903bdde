import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

/** Where the code stands that V8 has made of a script: that of one Node does for no other. */
export function codePath(path: string): string {
  return path.replace(/cjs$/, `${process.version}-${process.arch}.code`);
}

/** A CommonJS script, as a function of what such a script is given. `code` goes unused where this Node has other flags, or is another one. */
export function compileScript(path: string, code: Buffer | undefined): Script {
  // Of ASCII, so that it is taken as it is.
  const source = `(function(require,module,__filename){${readFileSync(path, "latin1")}\n})`;
  return new Script(source, { filename: path, ...(code !== undefined && { cachedData: code }) });
}

/** Runs a compiled script; gives what it exports. */
export function runScript(script: Script, path: string): unknown {
  const module = { exports: {} };
  script.runInThisContext()(createRequire(path), module, path, dirname(path));
  return module.exports;
}

/** What a script exports whose code may lie beside it. */
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
