import type { Command } from "commander";
import { hashToken, newToken } from "../access/token.ts";
import { changeTokens } from "../access/token-file.ts";
import { isTokenName } from "../access/token-list.ts";
import { rightsText } from "../access/token-rights.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { bad } from "../config/check.ts";
import { duration } from "../config/quantity.ts";
import { addUse } from "./command-use.ts";
import { newCommand } from "./new-command.ts";
import { tokenAction } from "./token-settings.ts";

/** Whoever wants more wants one that never expires. */
const maxLifeMs = 100 * 365 * 86_400_000;

/** `stillage token create NAME`: prints the token, which is kept nowhere, on standard output and all else on standard error. */
export function tokenCreateCommand(end: (status: number) => void): Command {
  const command = newCommand("create", "stillage")
    .description("Make a token and print it, this once; only its hash is kept")
    .argument("<NAME>", "How rules and logs call it")
    .option("--expires <TIME>", "How long it is good, such as 90d; for ever where nothing is said");
  addUse(command, {
    examples: [
      {
        says: "For a build machine, for a quarter of a year",
        run: "stillage token create builder-1 --expires 90d --access /etc/stillage/access.yaml",
      },
    ],
    see: "docs/ACCESS.md",
  });
  return tokenAction(command, end, async ({ accessFile, tokens, access }, [name = ""]) => {
    if (!isTokenName(name)) {
      throw new StillageError("invalid", `${JSON.stringify(name)} is no name for a token`, {
        hint: "letters, digits and . _ @ / - after a letter or digit, 100 at most",
      });
    }
    const created = systemClock();
    const expires = expiry(command.getOptionValue("expires"), created);
    const token = newToken();
    await changeTokens(tokens, accessFile, (entries) => {
      if (entries.some((each) => each.name === name)) {
        throw new StillageError("invalid", `there is a token ${name} already`, { hint: "revoke it first" });
      }
      return [...entries, { name, sha256: hashToken(token), created, expires }];
    });
    process.stdout.write(`${token}\n`);
    if (rightsText(access.rules, name) === "") {
      process.stderr.write(`stillage: no rule of ${accessFile} gives ${name} a right yet: - who: { token: ${name} }\n`);
    }
  });
}

function expiry(given: string | undefined, now: number): number | undefined {
  if (given === undefined) return undefined;
  let problem = "";
  const life = duration(maxLifeMs)(given, [], ({ message }) => {
    problem = message;
  });
  if (life === bad || life === 0) throw new StillageError("invalid", `--expires: ${problem || "no time at all"}`);
  return now + life;
}
