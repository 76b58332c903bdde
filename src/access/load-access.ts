import { stat } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type AccessConfig, isUrl, readAccessFile } from "../config/access.ts";
import { showProblem } from "../config/problem.ts";
import type { AccessState } from "./access.ts";
import { JwtVerifier } from "./jwt.ts";
import { KeySet } from "./key-set.ts";
import { Policy } from "./policy.ts";
import { readTokens } from "./token-file.ts";

/** Reads an access file, and what it names, as often as wanted; the keys of issuers are kept from one time to the next. */
export class AccessLoader {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly log: Log;
  private keySets = new Map<string, KeySet>();
  /** The files that the access file named the last time. */
  private named: readonly string[] = [];
  /** How all files were before they were read; `undefined` where that came to nothing. */
  private seen: string | undefined;

  constructor(path: string, clock: Clock, log: Log) {
    this.path = path;
    this.clock = clock;
    this.log = log;
  }

  /** Errors: `failed-precondition`, naming each place that is wrong. */
  async load(): Promise<AccessState> {
    this.seen = undefined;
    // Before each file is read: what changes meanwhile is seen the next time.
    const own = await signature([this.path]);
    const config = readAccessFile(this.path, "access");
    if (!("rules" in config)) throw new StillageError("failed-precondition", config.map(showProblem).join("\n"));
    this.named = filesOf(config);
    const others = await signature(this.named);
    const state = await this.stateOf(config);
    this.seen = own + others;
    return state;
  }

  /** Whether a file is not as it was when it was read, or could not be read. */
  async changed(): Promise<boolean> {
    if (this.seen === undefined) return true;
    return this.seen !== (await signature([this.path])) + (await signature(this.named));
  }

  /** Resolves when the issuers that were asked for keys have answered, or have not. */
  async settled(): Promise<void> {
    await Promise.all([...this.keySets.values()].map((each) => each.settled()));
  }

  private async stateOf({ tokens, issuers, rules }: AccessConfig): Promise<AccessState> {
    const entries = tokens === undefined ? [] : await readTokens(tokens);
    const keySets = new Map(issuers.map(({ keys }) => [keys, this.keySets.get(keys) ?? this.newKeySet(keys)]));
    await Promise.all([...keySets.values()].map((each) => each.load()));
    this.keySets = keySets;
    const known = issuers.map((issuer) => ({ ...issuer, keySet: keySets.get(issuer.keys) as KeySet }));
    return {
      policy: new Policy(rules),
      tokens: new Map(entries.map((entry) => [entry.sha256, entry])),
      jwt: new JwtVerifier(known, this.clock),
    };
  }

  private newKeySet(source: string): KeySet {
    return new KeySet(source, this.clock, this.log);
  }
}

function filesOf({ tokens, issuers }: AccessConfig): string[] {
  const keys = issuers.map((issuer) => issuer.keys).filter((each) => !isUrl(each));
  return tokens === undefined ? keys : [tokens, ...keys];
}

/** Changes whenever one of the files does, its owner and mode included. */
async function signature(files: readonly string[]): Promise<string> {
  const all = await Promise.all(files.map((file) => stat(file, { bigint: true }).catch(() => undefined)));
  return all.map((each) => `${each?.ino} ${each?.size} ${each?.mtimeNs} ${each?.ctimeNs}\n`).join("");
}
