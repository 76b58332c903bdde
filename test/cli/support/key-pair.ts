import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a self-signed certificate for 127.0.0.1 as `NAME.crt` and `NAME.key`; those that were there are replaced. */
export async function makeKeyPair(folder: string, name: string): Promise<KeyPair> {
  const pair = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  await promisify(execFile)("openssl", ["req", ...kind, ...names, "-out", pair.certificate, "-keyout", pair.key]);
  return pair;
}
