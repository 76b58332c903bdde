import { StillageError } from "../base/errors.ts";

/** Characters of a repository's name, which is one of a directory and a part of URLs. */
const maxNameLength = 64;

/** Characters of a branch: a path below `refs/heads/` in one repository. */
const maxBranchLength = 255;

/** Characters of a version, which people read in lists. */
const maxVersionLength = 128;

/** Branches of one release, which all move together. */
export const maxBranches = 64;

const segment = /^[A-Za-z0-9_][-._A-Za-z0-9]*$/;

/** A repository's name as somebody has given it. Errors: `invalid`. */
export function checkRepositoryName(name: string): string {
  if (name.length <= maxNameLength && segment.test(name)) return name;
  throw new StillageError("invalid", `${quoted(name)} cannot be the name of a release repository`, {
    hint: `up to ${maxNameLength} letters, digits, and . - _ inside: os, platform-2`,
  });
}

/** A branch as somebody has given it: what OSTree calls a ref. Errors: `invalid`. */
export function checkBranch(branch: string): string {
  const segments = branch.split("/");
  if (branch.length <= maxBranchLength && segments.every((each) => segment.test(each))) return branch;
  throw new StillageError("invalid", `${quoted(branch)} cannot be the name of a branch`, {
    hint: "letters, digits, and . - _ inside, in segments divided by /: os/x86_64/stable",
  });
}

/** The branches of one release, each once. Errors: `invalid`, also where one is the beginning of another: both cannot exist. */
export function checkBranches(branches: readonly string[]): readonly string[] {
  const all = [...new Set(branches.map(checkBranch))];
  if (all.length === 0) throw new StillageError("invalid", "no branch is named", { hint: "name one with --branch" });
  if (all.length > maxBranches) {
    throw new StillageError("invalid", `${all.length} branches are more than one release may have (${maxBranches})`);
  }
  for (const one of all) {
    const inside = all.find((other) => other.startsWith(`${one}/`));
    if (inside === undefined) continue;
    throw new StillageError("invalid", `the branches ${one} and ${inside} cannot both exist`, {
      hint: "a branch is a file, and cannot be the directory of another",
    });
  }
  return all;
}

/** A version as somebody has given it: any one line of text. Errors: `invalid`. */
export function checkVersion(version: string): string {
  if (version !== "" && version.length <= maxVersionLength && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|^\s|\s$/u.test(version)) {
    return version;
  }
  throw new StillageError("invalid", `${quoted(version)} cannot be a version`, {
    hint: `one line of 1 to ${maxVersionLength} characters, such as 24.08.1`,
  });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
