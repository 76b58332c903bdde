import { resolve } from "node:path";
import { StillageError } from "../base/errors.ts";

/**
 * The name of the release repository that a pusher means: by that name, or by a path as other receivers are told one: that of the repository's directory, or of the
 * OSTree repository in it, absolute or seen from the directory of all. What follows is one name, which leads nowhere else. Errors: `not-found`.
 */
export function repositoryNamed(given: string, releases: string): string {
  const root = `${resolve(releases)}/`;
  const inside = given.startsWith(root) ? given.slice(root.length) : given.replace(/^\/+/, "");
  const name = inside.replace(/\/+$/, "").replace(/(?:\/public)?\/repo$/, "");
  if (/^[A-Za-z0-9_][-._A-Za-z0-9]*$/.test(name)) return name;
  throw new StillageError("not-found", `there is no release repository ${JSON.stringify(given.slice(0, 200))}`);
}
