import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ed25519KeyOfSeed, signEd25519 } from "../ostree/ed25519.ts";
import { publicKeyText, secretKeyLine } from "../ostree/ed25519-files.ts";

/** A key of a test: the same for the same number. */
export const testKey = (number: number) => ed25519KeyOfSeed(new Uint8Array(32).fill(number));

/** Writes a secret key, and gives the file. */
export async function secretKeyFile(folder: string, name: string, number: number, mode = 0o600): Promise<string> {
  const path = join(folder, `${name}.secret`);
  await writeFile(path, secretKeyLine(testKey(number)), { mode });
  return path;
}

/** Writes a public key, and gives the file. */
export async function publicKeyFile(folder: string, name: string, number: number): Promise<string> {
  const path = join(folder, `${name}.ed25519`);
  await mkdir(folder, { recursive: true });
  await writeFile(path, `${publicKeyText(testKey(number))}\n`);
  return path;
}

/** Signs as another machine would: writes the signature beside the file. */
export async function signFile(path: string, bytes: Uint8Array, number: number): Promise<string> {
  const file = `${path}.${number}.sig`;
  await writeFile(file, signEd25519(testKey(number), bytes));
  return file;
}
