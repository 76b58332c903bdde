import { homedir } from "node:os";
import { join, normalize } from "node:path";

/** Variables as a process has them; `undefined` is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

const xdgDefaults = { XDG_CACHE_HOME: ".cache", XDG_CONFIG_HOME: ".config", XDG_STATE_HOME: ".local/state" } as const;

/** A directory of the XDG base directory specification. */
export function xdgDirectory(name: keyof typeof xdgDefaults, environment: Environment): string {
  return environment[name] || join(homeDirectory(environment), xdgDefaults[name]);
}

/** `~` at the beginning is the home directory. */
export function expandHome(path: string, environment: Environment): string {
  return path === "~" || path.startsWith("~/") ? join(homeDirectory(environment), path.slice(1)) : path;
}

/** A path of BuildStream's user configuration, in which `~`, `$NAME` and `${NAME}` mean something. Variables that are not set stay as they are. */
export function expandPath(path: string, environment: Environment): string {
  const variable = (name: string): string | undefined =>
    name in xdgDefaults ? xdgDirectory(name as keyof typeof xdgDefaults, environment) : environment[name];
  const expanded = expandHome(path, environment).replaceAll(
    /\$(?:(\w+)|\{([^}]*)\})/g,
    (whole, plain?: string, braced?: string) => variable(plain ?? braced ?? "") ?? whole,
  );
  return normalize(expanded).replace(/(.)\/$/, "$1");
}

function homeDirectory(environment: Environment): string {
  return environment.HOME || homedir();
}
