import { StillageError } from "../base/errors.ts";

/** A repository on another machine, reached by ssh. */
export interface PushDestination {
  readonly user: string | undefined;
  /** A name, an address, or what `ssh_config` calls a host. */
  readonly host: string;
  readonly port: number | undefined;
  /** As the machine's `ostree-receive` is told it. */
  readonly path: string;
}

/** Nothing that ssh could take for an option. */
const nameForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const addressForm = /^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/;

/** Reads `ssh://[USER@]HOST[:PORT]/PATH` or `[USER@]HOST:PATH`, an IPv6 address in brackets. Errors: `invalid`. */
export function parsePushDestination(text: string): PushDestination {
  const found = parseSsh(text);
  if (found.path !== "/" || !text.startsWith("ssh://")) return found;
  throw wrong(text);
}

/** Reads an `ssh://` URL of which the path may be left out: then it is `/`. Errors: `invalid`. */
export function parseSshUrl(text: string): PushDestination {
  if (!text.startsWith("ssh://")) throw wrong(text);
  return parseSsh(/^ssh:\/\/[^/]*$/.test(text) ? `${text}/` : text);
}

function wrong(text: string): StillageError {
  return new StillageError("invalid", `${JSON.stringify(text.slice(0, 200))} is not a place to push to`, {
    hint: "ssh://[USER@]HOST[:PORT]/PATH or [USER@]HOST:PATH",
  });
}

function parseSsh(text: string): PushDestination {
  if (/\p{Cc}/u.test(text)) throw wrong(text);
  const form = text.startsWith("ssh://")
    ? /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]]*\]|[^:/@[\]]*)(?::(\d{1,5}))?(\/.*)$/
    : /^(?:([^@/:]*)@)?(\[[^\]]*\]|[^:/@[\]]*):()((?!\/\/).+)$/;
  const [, user, name = "", digits, path = ""] = form.exec(text) ?? [];
  const host = name.startsWith("[") ? name.slice(1, -1) : name;
  const port = digits === undefined || digits === "" ? undefined : Number(digits);
  if (!(name.startsWith("[") ? addressForm : nameForm).test(host)) throw wrong(text);
  if (user !== undefined && !nameForm.test(user)) throw wrong(text);
  if (port !== undefined && (port === 0 || port > 65_535)) throw wrong(text);
  // The other side would take it for an option.
  if (path.startsWith("-")) throw wrong(text);
  return { user, host, port, path };
}
