import { StillageError } from "../base/errors.ts";
import { shellWords } from "./shell-words.ts";

/** What somebody who logged in over ssh asks for, of what there is. */
export interface LoginCommand {
  readonly program: "bst-artifact-receive" | "ostree-receive" | "release";
  /** What follows the program's name, not looked at yet. */
  readonly args: readonly string[];
}

/** A shell's word that there is no such program: `ostree-push` goes on to its next name for it then. */
export const noSuchProgram = 127;

/** A name of the receiver that says which protocol is meant, as `ostree-push` 1.2 and later ask first. */
const versioned = /^ostree-receive-(\d{1,9})$/;

/**
 * The command of a session whose end sshd decides (`command=` in `authorized_keys`), from what the client asked for: SSH_ORIGINAL_COMMAND. `undefined`
 * for a version of a program that there is none of here. Errors: `invalid` for what is no command of ours.
 */
export function loginCommand(original: string | undefined): LoginCommand | undefined {
  const [path, ...args] = original === undefined ? [] : shellWords(original);
  if (path === undefined) {
    throw new StillageError("invalid", "this account is for programs: there is no shell here", { hint });
  }
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "bst-artifact-receive" || name === "ostree-receive") return { program: name, args };
  const version = versioned.exec(name)?.[1];
  // The first version's command line is that of the program without one.
  if (version !== undefined) return version === "1" ? { program: "ostree-receive", args } : undefined;
  if (name === "stillage" && args[0] === "release") return { program: "release", args: args.slice(1) };
  throw new StillageError("invalid", `${JSON.stringify(name.slice(0, 100))} is not to be had here`, { hint });
}

const hint = "what there is: ostree-push, BuildStream 1.0's pushes, and `stillage release`";
