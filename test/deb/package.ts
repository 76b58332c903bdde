import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";

/** The package that `make test-deb` has built (DEB_FILE); built here where a test is run by itself. */
export async function builtPackage(): Promise<string> {
  return process.env.DEB_FILE || (await builtHere());
}

let built: Promise<string> | undefined;

function builtHere(): Promise<string> {
  built ??= buildPackage(join(checkout, "dist/deb"));
  return built;
}

/** Builds it into a folder as `make deb` does, but for a compression that is soon done. */
export async function buildPackage(folder: string): Promise<string> {
  if (!existsSync(join(checkout, "dist/stillage.js"))) await runOk("make", ["build"], { cwd: checkout });
  const env = { ...process.env, DEB_COMPRESSION: "-Zgzip -z1" };
  const said = await runOk("scripts/deb.sh", [folder], { cwd: checkout, env });
  return said.trim().split("\n").at(-1) ?? "";
}
