import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runOk } from "./program.ts";

export interface GpgHome {
  readonly folder: string;
  /** The name of its only key. */
  readonly key: string;
  /** The file of the public key. */
  readonly publicKey: string;
}

/** Makes a directory for GnuPG with one key that has no passphrase. */
export async function makeGpgHome(folder: string): Promise<GpgHome> {
  await chmod(folder, 0o700);
  const key = "releases@example.org";
  const gpg = ["--homedir", folder, "--batch", "--quiet"];
  await runOk("gpg", [...gpg, "--passphrase", "", "--quick-generate-key", key, "ed25519", "sign", "never"]);
  const publicKey = join(folder, "public.gpg");
  await writeFile(publicKey, await runOk("gpg", [...gpg, "--armor", "--export", key]));
  return { folder, key, publicKey };
}
