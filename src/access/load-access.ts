import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type AccessConfig, readAccessFile } from "../config/access.ts";
import { showProblem } from "../config/problem.ts";
import type { AccessState } from "./access.ts";
import { JwtVerifier } from "./jwt.ts";
import { Policy } from "./policy.ts";
import { readTokens } from "./token-file.ts";

export interface LoadedAccess {
  readonly state: AccessState;
  /** The files that it was read from, the access file among them. */
  readonly files: readonly string[];
}

/** Reads an access file and the files that it names. Errors: `failed-precondition`, naming each place that is wrong. */
export async function loadAccess(path: string, clock: Clock, log: Log): Promise<LoadedAccess> {
  const config = readAccessFile(path, "access");
  if (!("rules" in config)) throw new StillageError("failed-precondition", config.map(showProblem).join("\n"));
  const { tokens, issuers, rules } = config;
  const entries = tokens === undefined ? [] : await readTokens(tokens);
  const state = {
    policy: new Policy(rules),
    tokens: new Map(entries.map((entry) => [entry.sha256, entry])),
    jwt: await JwtVerifier.open(issuers, clock, log),
  };
  return { state, files: filesOf(path, config) };
}

function filesOf(path: string, { tokens, issuers }: AccessConfig): string[] {
  const keys = issuers.map((issuer) => issuer.keys).filter((each) => !/^https?:/.test(each));
  return [path, ...(tokens === undefined ? [] : [tokens]), ...keys];
}
