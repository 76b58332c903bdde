import { dirname, resolve } from "node:path";
import { type Right, rightNames } from "../base/rights.ts";
import { bad, type Check, listOf, type Path, quote, type Report, scalar } from "./check.ts";
import { filePath } from "./file-path.ts";
import { mapping } from "./mapping.ts";
import { didYouMean } from "./nearest.ts";
import { type Problem, prefix } from "./problem.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";

/** Whom a rule is for. In values, `*` stands for any characters. */
export type Who =
  | { readonly kind: "anyone" }
  /** The name of a token. */
  | { readonly kind: "token"; readonly name: string }
  /** Attributes of the subject of a client's certificate, such as `CN`; all must be as said. */
  | { readonly kind: "certificate"; readonly attributes: Readonly<Record<string, string>> }
  /** SHA-256 of a client's certificate, in lower-case hex. */
  | { readonly kind: "fingerprint"; readonly sha256: string }
  /** Claims of a JSON Web Token; all must be as said. */
  | { readonly kind: "jwt"; readonly claims: Readonly<Record<string, string>> }
  /** The name that the server's `authorized_keys` gives whoever has a key. */
  | { readonly kind: "ssh"; readonly name: string };

/** What somebody may do, and where. All rules that fit are added up. */
export interface Rule {
  readonly who: Who;
  readonly may: readonly Right[];
  /** Names of instances; `*` stands for any characters. */
  readonly instances: readonly string[];
  /** Names of release repositories that the right `release` is for; `*` stands for any characters. */
  readonly repositories: readonly string[];
  /** Branches in them. */
  readonly branches: readonly string[];
}

/** Who signs JSON Web Tokens that are believed here. */
export interface Issuer {
  /** What its tokens have as `iss`. */
  readonly issuer: string;
  /** What its tokens that are meant for this cache have as, or among, `aud`. */
  readonly audience: string;
  /** A JSON Web Key Set (RFC 7517, section 5): an absolute path, or a URL. */
  readonly keys: string;
}

/** What an access file says. */
export interface AccessConfig {
  /** The file of hashed tokens; an absolute path. */
  readonly tokens: string | undefined;
  readonly issuers: readonly Issuer[];
  readonly rules: readonly Rule[];
}

/** Whether the keys of an issuer are at a URL, not in a file. */
export function isUrl(keys: string): boolean {
  return /^https?:/.test(keys);
}

const maxRules = 1000;
const maxIssuers = 16;
const maxText = 1000;

/** What a rule is for that does not say where it holds; the very list, so that it can be told from the same said. */
const everywhere: readonly string[] = ["*"];

const pattern = scalar("a text without control characters; * stands for any characters", (text) =>
  text !== "" && text.length <= maxText && !/\p{Cc}/u.test(text) ? text : undefined,
);

const instancePattern = scalar("an instance name; * stands for any characters", (text) =>
  text.length <= maxText && !/[\s\p{Cc}]/u.test(text) ? text : undefined,
);

const sha256 = scalar("the SHA-256 fingerprint of a certificate: 64 hex digits, colons between them or not", (text) => {
  const digits = text.replaceAll(":", "").toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
});

const right = scalar(`one of ${rightNames.join(", ")}`, (text) => rightNames.find((name) => name === text));

const rights = oneOrMore(listOf(right, rightNames.length, (name) => name));

const keys = scalar("the path of a JSON Web Key Set, or its URL: https, or http on this machine", (text) => {
  if (!/^https?:/i.test(text)) return text === "" || text.includes("\0") ? undefined : text;
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || local ? url.href : undefined;
});

const issuer = mapping<Issuer>({ issuer: { check: pattern }, audience: { check: pattern }, keys: { check: keys } });

const releasePattern = scalar("a name without spaces; * stands for any characters", (text) =>
  text !== "" && text.length <= maxText && !/[\s\p{Cc}]/u.test(text) ? text : undefined,
);

const releasePlaces = { check: oneOrMore(listOf(releasePattern, maxRules, (name) => name)), absent: everywhere };

const rule = mapping<Rule>({
  who: { check: who },
  may: { check: rights },
  instances: { check: oneOrMore(listOf(instancePattern, maxRules, (name) => name)), absent: everywhere },
  repositories: releasePlaces,
  branches: releasePlaces,
});

const access = mapping<AccessFile>({
  tokens: { check: filePath, absent: undefined },
  jwt: { check: listOf(issuer, maxIssuers, (each) => each.issuer), absent: [] },
  rights: { check: listOf(rule, maxRules, () => undefined) },
});

interface AccessFile {
  readonly tokens: string | undefined;
  readonly jwt: readonly Issuer[];
  readonly rights: readonly Rule[];
}

/** Reads an access file; or gives everything that is wrong with it. `origin` is where its path was said. */
export function readAccessFile(path: string, origin: string): AccessConfig | readonly Problem[] {
  const file = readYamlFile(path, origin);
  if (!("content" in file)) return file;
  const problems: Problem[] = [];
  const report: Report = (finding) => {
    problems.push({
      origin: file.position(finding.path, finding.onKey),
      message: prefix(finding.path) + finding.message,
    });
  };
  const value = access(file.content, [], report);
  if (value === bad) return problems;
  checkSources(value, report);
  return problems.length > 0 ? problems : located(value, file);
}

/** A claim says nothing without who claims it, nobody has a token where none is kept, and where to release is for who may. */
function checkSources({ tokens, jwt, rights: rules }: AccessFile, report: Report): void {
  for (const [i, { who: whom, may, ...places }] of rules.entries()) {
    for (const key of ["repositories", "branches"] as const) {
      if (places[key] === everywhere || may.includes("release")) continue;
      const message = "this says where one may release, and the rule's may does not name release";
      report({ path: ["rights", i, key], onKey: true, message });
    }
    if (whom.kind === "token" && tokens === undefined) {
      report({ path: ["rights", i, "who", "token"], message: "no file of tokens is named: add `tokens: FILE`" });
    }
    if (whom.kind !== "jwt") continue;
    const path = ["rights", i, "who", "jwt"];
    if (jwt.length === 0) report({ path, message: "no issuer is named under jwt, so nobody's tokens are believed" });
    else if (jwt.length > 1 && whom.claims.iss === undefined) {
      report({ path, message: "iss is missing: there are several issuers, and each could claim this" });
    }
  }
}

function located({ tokens, jwt, rights: rules }: AccessFile, { path }: YamlFile): AccessConfig {
  const folder = dirname(resolve(path));
  return {
    tokens: tokens === undefined ? undefined : resolve(folder, tokens),
    issuers: jwt.map((each) => (isUrl(each.keys) ? each : { ...each, keys: resolve(folder, each.keys) })),
    rules,
  };
}

/** `anyone`, or a mapping of one key that says how somebody shows who he is. */
function who(given: unknown, path: Path, report: Report): Who | typeof bad {
  if (given === "anyone") return { kind: "anyone" };
  const entries = typeof given === "object" && given !== null && !Array.isArray(given) ? Object.entries(given) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    report({ path, message: `${quote(given)} is neither anyone nor a mapping of one of ${kinds.join(", ")}` });
    return bad;
  }
  const [kind, value] = entry;
  const inside = [...path, kind];
  switch (kind) {
    case "token":
    case "ssh":
      return checked(pattern(value, inside, report), (name) => ({ kind, name }));
    case "certificate":
      return checked(patterns(value, inside, report), (attributes) => ({ kind, attributes }));
    case "fingerprint":
      return checked(sha256(value, inside, report), (digits) => ({ kind, sha256: digits }));
    case "jwt":
      return checked(patterns(value, inside, report), (claims) => ({ kind, claims }));
    default:
      report({ path: inside, onKey: true, message: `there is no such key${didYouMean(kind, kinds)}` });
      return bad;
  }
}

const kinds = ["token", "certificate", "fingerprint", "jwt", "ssh"];

function checked<T>(value: T | typeof bad, make: (value: T) => Who): Who | typeof bad {
  return value === bad ? bad : make(value);
}

/** A mapping of at least one name to a pattern. */
function patterns(given: unknown, path: Path, report: Report): Readonly<Record<string, string>> | typeof bad {
  const names = typeof given === "object" && given !== null && !Array.isArray(given) ? Object.keys(given) : [];
  // A name that objects have a meaning for would be lost, and a condition with it.
  if (names.length === 0 || names.includes("__proto__")) {
    report({ path, message: `${quote(given)} is not a mapping of names to what they must be` });
    return bad;
  }
  return mapping<Record<string, string>>(Object.fromEntries(names.map((name) => [name, { check: pattern }])))(
    given,
    path,
    report,
  );
}

/** A list, or one entry alone. */
function oneOrMore<T>(list: Check<readonly T[]>): Check<readonly T[]> {
  return (given, path, report) => list(Array.isArray(given) ? given : [given], path, report);
}
