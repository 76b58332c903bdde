import { Policy } from "../access/policy.ts";
import { StillageError } from "../base/errors.ts";
import { hasRight } from "../base/rights.ts";
import type { Rule } from "../config/access.ts";

/** Who logged in over ssh, and where he may publish. */
export class Publisher {
  /** As `authorized_keys` calls him. */
  readonly name: string;
  private readonly policy: Policy | undefined;

  /** Without rules everybody who can log in may publish everywhere. */
  constructor(name: string, rules: readonly Rule[] | undefined) {
    this.name = name;
    this.policy = rules === undefined ? undefined : new Policy(rules);
  }

  /** Errors: `forbidden` where he may not publish on any branch of a repository. */
  checkRepository(repository: string): void {
    if (this.may(repository, undefined)) return;
    throw new StillageError("forbidden", `${this.name} may not release in ${repository}`, { hint });
  }

  /** Errors: `forbidden`, with all branches on which he may not publish. */
  checkBranches(repository: string, branches: Iterable<string>): void {
    const denied = [...branches].filter((branch) => !this.may(repository, branch));
    if (denied.length === 0) return;
    const shown = denied.slice(0, 10).map((each) => JSON.stringify(each.slice(0, 200)));
    const more = denied.length > shown.length ? ` and ${denied.length - shown.length} more` : "";
    const message = `${this.name} may not release on ${shown.join(", ")}${more} in ${repository}; nothing was published`;
    throw new StillageError("forbidden", message, { hint });
  }

  /** Errors: `forbidden` where he may not read what is in an instance of the store. */
  checkInstance(instance: string): void {
    if (this.policy === undefined || hasRight(this.policy.grant({ ssh: this.name })(instance), "pull")) return;
    throw new StillageError("forbidden", `${this.name} may not pull in the instance ${JSON.stringify(instance)}`, {
      hint,
    });
  }

  private may(repository: string, branch: string | undefined): boolean {
    return this.policy === undefined || this.policy.mayRelease({ ssh: this.name }, repository, branch);
  }
}

const hint = "ask the operator for a rule in the access file, with who: { ssh: NAME }";
