import { access } from "node:fs/promises";
import { join } from "node:path";

/** The top folder of this checkout. */
export const checkout = join(import.meta.dirname, "../../..");

/** Where the installers of `scripts/clients/` put what is not a Debian package. */
export const clientsFolder = join(checkout, ".cache/clients");

/** Gives `path` when it is there; else fails with the script that brings it. */
export async function installed(path: string, script: string): Promise<string> {
  try {
    await access(path);
  } catch {
    throw new Error(`${path} is missing; run scripts/clients/${script} first`);
  }
  return path;
}
