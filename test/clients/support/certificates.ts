import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runOk } from "./program.ts";

/** RSA keys take seconds to be made where the machine is busy. */
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Paths of PEM files. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  /** For `localhost` and `127.0.0.1`, signed by itself. */
  readonly server: KeyPair;
  /** A client that the server is told to trust (self-signed: its certificate is its own authority). */
  readonly client: KeyPair;
  /** A client that the server knows nothing of. */
  readonly stranger: KeyPair;
}

/** Makes certificates with the openssl program: self-signed leaves, as BuildStream's documentation does for a cache server. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  return {
    server: await selfSigned(folder, "server", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
    client: await selfSigned(folder, "client", "client"),
    stranger: await selfSigned(folder, "stranger", "client"),
  };
}

/** A certificate authority and what it signed, as a site with its own authority has them. */
export interface Authority {
  readonly certificate: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

export async function makeAuthority(folder: string): Promise<Authority> {
  const authority = await selfSigned(folder, "authority", "Test authority", "basicConstraints=critical,CA:TRUE");
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  return {
    certificate: authority.certificate,
    server: await signed(folder, authority, "signed-server", "localhost", names),
    client: await signed(folder, authority, "signed-client", "client", "extendedKeyUsage=clientAuth"),
  };
}

function pair(folder: string, name: string): KeyPair {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

async function selfSigned(folder: string, name: string, subject: string, extension?: string): Promise<KeyPair> {
  const made = pair(folder, name);
  const key = [...newKey, "-keyout", made.key];
  const more = extension === undefined ? [] : ["-addext", extension];
  await runOk("openssl", [
    "req",
    "-x509",
    ...key,
    "-out",
    made.certificate,
    "-days",
    "2",
    "-subj",
    `/CN=${subject}`,
    ...more,
  ]);
  return made;
}

async function signed(
  folder: string,
  authority: KeyPair,
  name: string,
  subject: string,
  extension: string,
): Promise<KeyPair> {
  const made = pair(folder, name);
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  await writeFile(extensions, `${extension}\n`);
  await runOk("openssl", ["req", ...newKey, "-keyout", made.key, "-out", request, "-subj", `/CN=${subject}`]);
  const by = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial"];
  await runOk("openssl", [
    "x509",
    "-req",
    "-in",
    request,
    ...by,
    "-out",
    made.certificate,
    "-days",
    "2",
    "-extfile",
    extensions,
  ]);
  return made;
}
