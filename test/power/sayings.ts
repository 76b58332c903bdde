import { openSync, writeSync } from "node:fs";

/**
 * What a workload says to the log, a line each. `durability D`: what follows is done with that setting, `on` or `off`. `has N`: blob N has been acknowledged. `removing N`, `removed N`: around its removal. `putting NAME V`,
 * `put NAME V`: around a put of the ref NAME with version V. `dropping NAME`, `dropped NAME`: around its removal.
 */
export type Saying =
  | `durability ${"on" | "off"}`
  | `${"has" | "removing" | "removed"} ${number}`
  | `${"putting" | "put"} ${string} ${number}`
  | `${"dropping" | "dropped"} ${string}`;

export type Say = (saying: Saying) => void;

/** Says things to the recorder, the durability first. */
export function openSay(durability: "on" | "off"): Say {
  const { POWER_SAY } = process.env;
  if (POWER_SAY === undefined) throw new Error("this program is run by the tests of power cuts");
  const fd = openSync(POWER_SAY, "a");
  const say: Say = (saying) => void writeSync(fd, `${saying}\n`);
  say(`durability ${durability}`);
  return say;
}

/** What had been promised when the power failed. */
export class Promised {
  /** Blobs that have to be there. */
  readonly has = new Set<number>();
  /** Blobs that must not be there. */
  readonly gone = new Set<number>();
  /** For each ref the versions that it may have; `undefined` stands for its absence. */
  readonly refs = new Map<string, ReadonlySet<number | undefined>>();
  /** All versions of a ref that there have been: what was done without durability may have stayed, or not. */
  private readonly versions = new Map<string, Set<number | undefined>>();

  constructor(sayings: Iterable<string>) {
    let durability = "on";
    for (const line of sayings) {
      const [what, name = "", version] = line.trim().split(" ");
      if (what === "has") this.hasBlob(Number(name));
      else if (what === "removing") this.hasBlob(Number(name), false);
      else if (what === "removed") this.gone.add(Number(name));
      else if (what === "putting" || what === "dropping") {
        const next = orAbsent(version && Number(version));
        const before = this.versionsOf(name);
        this.refs.set(name, new Set([...(this.refs.get(name) ?? before), next]));
        before.add(next);
      } else if (what === "put" || what === "dropped") {
        this.refs.set(name, new Set([orAbsent(version && Number(version))]));
      } else if (what === "durability") {
        if (durability === "off") this.forget();
        durability = name;
      } else throw new Error(`what does "${line}" mean?`);
    }
    if (durability === "off") this.forget();
  }

  private versionsOf(name: string): Set<number | undefined> {
    const versions = this.versions.get(name) ?? new Set([undefined]);
    this.versions.set(name, versions);
    return versions;
  }

  /** Without durability nothing is promised but that what is there is whole. */
  private forget(): void {
    this.has.clear();
    this.gone.clear();
    this.refs.clear();
  }

  private hasBlob(number: number, has = true): void {
    this.gone.delete(number);
    if (has) this.has.add(number);
    else this.has.delete(number);
  }
}

function orAbsent(version: number | string | undefined): number | undefined {
  return typeof version === "number" ? version : undefined;
}
