import { dirname, resolve } from "node:path";
import { bad, type Check, listOf, type Path, quote, type Report, scalar } from "../config/check.ts";
import { mapping } from "../config/mapping.ts";
import { didYouMean } from "../config/nearest.ts";
import { type Problem, prefix } from "../config/problem.ts";
import { duration } from "../config/quantity.ts";
import { parseYaml, readYamlFile, type YamlFile } from "../config/yaml-file.ts";
import { defaultReceiveLimits, type ReceiveLimits, receiveLimits } from "./receive-limits.ts";
import type { RequiredSignatures } from "./required-signatures.ts";

/** Who signs what is published here. */
export type SignerSettings =
  /** `key`: what `gpg --local-user` takes; `home`: GnuPG's directory, absolute, where it is not the user's own. */
  | { readonly kind: "gpg"; readonly key: string; readonly home: string | undefined }
  /** `key`: the absolute path of a secret key file. */
  | { readonly kind: "ed25519"; readonly key: string };

/** Which releases `release prune` leaves; of each branch at least the newest. */
export type Keep =
  | { readonly kind: "all" }
  | { readonly kind: "last"; readonly count: number }
  | { readonly kind: "younger"; readonly ms: number };

/** What `repository.yaml` says. */
export interface RepositorySettings {
  readonly title: string;
  readonly description: string | undefined;
  /** Where people find the directory `public`, without a slash at its end. */
  readonly url: string | undefined;
  /** Who builds what is released here: the `builder.id` of provenance, a URI. */
  readonly builder: string | undefined;
  readonly signers: readonly SignerSettings[];
  /** What has to have signed a release before it is published. */
  readonly requiredSignatures: RequiredSignatures;
  /** Lines for a shell, each of which has to end with 0 before anything is published. */
  readonly checks: readonly string[];
  /** Lines for a shell, run after something was published. */
  readonly hooks: readonly string[];
  /** How long each of those may take. */
  readonly commandTimeoutMs: number;
  readonly keep: Keep;
  /** What a push over ssh may bring. */
  readonly receive: ReceiveLimits;
}

const maxSigners = 16;
const maxCommands = 32;
const maxText = 2000;
const maxCommandMs = 24 * 3_600_000;
const defaultCommandMs = 10 * 60_000;
const maxKeepMs = 100 * 365 * 86_400_000;

const line = scalar(`one line of up to ${maxText} characters`, (text) =>
  text !== "" && text.length <= maxText && !/\p{Cc}/u.test(text) ? text : undefined,
);

const paragraph = scalar(`a text of up to ${maxText} characters`, (text) =>
  text !== "" && text.length <= maxText && !/[^\P{Cc}\n\t]/u.test(text) ? text : undefined,
);

const path = scalar("a path", (text) => (text === "" || text.includes("\0") ? undefined : text));

const webUrl = scalar("a URL of http or https", (text) => {
  const url = URL.parse(text);
  const fine = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  return fine && text.length <= maxText ? url.href.replace(/\/+$/, "") : undefined;
});

const uri = scalar("a URI", (text) => (text.length <= maxText && URL.canParse(text) ? text : undefined));

const keepAge = duration(maxKeepMs, 1);

/** `all`, `last N` or `younger than TIME`. */
export const keep: Check<Keep> = (given, at, report) => {
  if (given === "all") return { kind: "all" };
  const [, count] = /^last ([1-9]\d{0,5})$/.exec(String(given)) ?? [];
  if (count !== undefined) return { kind: "last", count: Number(count) };
  const [, age] = /^younger than (.+)$/.exec(String(given)) ?? [];
  const ms = age === undefined ? bad : keepAge(age, at, () => {});
  if (ms !== bad) return { kind: "younger", ms };
  report({
    path: at,
    message: `${quote(given)} is not all, \`last N\` or \`younger than TIME\`, such as younger than 90d`,
  });
  return bad;
};

/** As `keep` reads it. */
export function showKeep(rule: Keep): string {
  if (rule.kind === "all") return "all";
  return rule.kind === "last" ? `last ${rule.count}` : `younger than ${Math.round(rule.ms / 1000)}s`;
}

interface GpgSigner {
  readonly gpg: string;
  readonly home: string | undefined;
}

const gpg = mapping<GpgSigner>({ gpg: { check: line }, home: { check: path, absent: undefined } });
const ed25519 = mapping<{ readonly ed25519: string }>({ ed25519: { check: path } });
const signerKinds = ["gpg", "ed25519"];

function signer(given: unknown, at: Path, report: Report): SignerSettings | typeof bad {
  const keys = typeof given === "object" && given !== null && !Array.isArray(given) ? Object.keys(given) : [];
  if (keys.includes("gpg")) {
    const found = gpg(given, at, report);
    return found === bad ? bad : { kind: "gpg", key: found.gpg, home: found.home };
  }
  if (keys.includes("ed25519")) {
    const found = ed25519(given, at, report);
    return found === bad ? bad : { kind: "ed25519", key: found.ed25519 };
  }
  const meant = keys[0] === undefined ? "" : didYouMean(keys[0], signerKinds);
  report({ path: at, message: `${quote(given)} is neither \`gpg: KEY\` nor \`ed25519: FILE\`${meant}` });
  return bad;
}

const signatureNames = listOf(line, maxSigners, (name) => name);

/** A number of keys, or the names of keys in `keys/`. */
const requiredSignatures: Check<RequiredSignatures> = (given, at, report) => {
  if (Array.isArray(given)) {
    const names = signatureNames(given, at, report);
    return names === bad ? bad : { names };
  }
  const count = /^\d{1,2}$/.test(String(given)) ? Number(given) : Number.NaN;
  if (count <= maxSigners) return { count };
  report({ path: at, message: `${quote(given)} is neither a number up to ${maxSigners} nor a list of keys' names` });
  return bad;
};

const identityOf = (settings: SignerSettings): string => `${settings.kind} ${settings.key}`;

const commands = listOf(line, maxCommands, () => undefined);

const repository = mapping<File>({
  title: { check: line },
  description: { check: paragraph, absent: undefined },
  url: { check: webUrl, absent: undefined },
  builder: { check: uri, absent: undefined },
  signers: { check: listOf(signer, maxSigners, identityOf), absent: [] },
  "required-signatures": { check: requiredSignatures, absent: { count: 0 } },
  checks: { check: commands, absent: [] },
  hooks: { check: commands, absent: [] },
  "command-timeout": { check: duration(maxCommandMs, 1), absent: defaultCommandMs },
  keep: { check: keep, absent: { kind: "all" } },
  receive: { check: receiveLimits, absent: defaultReceiveLimits },
});

interface File extends Omit<RepositorySettings, "commandTimeoutMs" | "requiredSignatures"> {
  readonly "command-timeout": number;
  readonly "required-signatures": RequiredSignatures;
}

/** Reads a repository's file of settings; or gives everything that is wrong with it. Paths in it count from its directory. */
export function readRepositorySettings(file: string): RepositorySettings | readonly Problem[] {
  return settingsIn(readYamlFile(file, file));
}

/** The same of a text that is to be such a file. */
export function parseRepositorySettings(file: string, text: string): RepositorySettings | readonly Problem[] {
  return settingsIn(parseYaml(file, text));
}

function settingsIn(read: YamlFile | readonly Problem[]): RepositorySettings | readonly Problem[] {
  if (!("content" in read)) return read;
  const problems: Problem[] = [];
  const value = repository(read.content, [], (finding) => {
    problems.push({
      origin: read.position(finding.path, finding.onKey),
      message: prefix(finding.path) + finding.message,
    });
  });
  if (value === bad) return problems;
  const { "command-timeout": commandTimeoutMs, "required-signatures": requiredSignatures, signers, ...rest } = value;
  const folder = dirname(resolve(read.path));
  return { ...rest, commandTimeoutMs, requiredSignatures, signers: signers.map((each) => located(each, folder)) };
}

function located(settings: SignerSettings, folder: string): SignerSettings {
  if (settings.kind === "ed25519") return { ...settings, key: resolve(folder, settings.key) };
  return { ...settings, home: settings.home === undefined ? undefined : resolve(folder, settings.home) };
}
