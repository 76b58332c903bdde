import { join } from "node:path";
import { fromFileSystem } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import type { Payload } from "./payloads.ts";
import { replaceFile } from "./replace-file.ts";

/** What a directory of payloads has beside them. */
export const instructionsFile = "SIGN.txt";

/** Writes payloads to a directory, for whoever signs them. Each file is put in the place of an older one; nothing else is touched. */
export async function exportPayloads(directory: string, id: string, payloads: readonly Payload[]): Promise<void> {
  try {
    await makeFolder(directory);
  } catch (error) {
    throw fromFileSystem(error, `the directory ${directory} cannot be made`);
  }
  for (const { file, bytes } of payloads) await replaceFile(join(directory, file), bytes);
  await replaceFile(join(directory, instructionsFile), Buffer.from(instructions(id, payloads)));
}

function instructions(id: string, payloads: readonly Payload[]): string {
  const width = Math.max(...payloads.map(({ file }) => file.length));
  const list = payloads.map(({ file, title }) => `  ${file.padEnd(width)}  ${title}`).join("\n");
  const files = payloads.map(({ file }) => file);
  return `Sign each of these files, as it is:

${list}

With GnuPG, which writes FILE.sig:

${files.map((file) => `  gpg --detach-sign ${file}`).join("\n")}

With a key of Ed25519 in OpenSSL, KEY.pem:

${files.map((file) => `  openssl pkeyutl -sign -rawin -inkey KEY.pem -in ${file} -out ${file}.ed25519`).join("\n")}

Then take the signatures back to the repository:

  stillage release sign --import ${id} *.sig *.ed25519
`;
}
