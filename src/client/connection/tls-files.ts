import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { StillageError } from "../../base/errors.ts";
import type { RemoteSpec } from "../remote-spec.ts";

type Setting = "server-cert" | "client-cert" | "client-key";

/** By what a server knows us; PEM. */
export interface ClientPair {
  readonly certificate: string;
  readonly key: string;
}

/** PEM of what is trusted in place of the system's authorities; `undefined` for these. Errors: `invalid` for a file that cannot be read, and for one with anything but certificates that can be used. */
export function readAuthorities(spec: RemoteSpec): string | undefined {
  const { serverCert } = spec.auth;
  if (serverCert === undefined) return undefined;
  const pem = readPem(spec, "server-cert", serverCert);
  for (const each of certificatesIn(spec, "server-cert", serverCert, pem)) {
    parsed(spec, "server-cert", serverCert, () => new X509Certificate(each));
  }
  return pem;
}

/** Our own certificate with its key; `undefined` for none. Errors: `invalid` where one is without the other, cannot be read, or is not what it is to be, and where the two are not a pair. */
export function readClientPair(spec: RemoteSpec): ClientPair | undefined {
  const { clientCert, clientKey } = spec.auth;
  if (clientCert === undefined && clientKey === undefined) return undefined;
  if (clientCert === undefined || clientKey === undefined) {
    throw new StillageError("invalid", `${spec.name}: client-cert and client-key belong together (${spec.origin})`);
  }
  const certificate = readPem(spec, "client-cert", clientCert);
  const [first = ""] = certificatesIn(spec, "client-cert", clientCert, certificate);
  const own = parsed(spec, "client-cert", clientCert, () => new X509Certificate(first));
  const key = readPem(spec, "client-key", clientKey);
  const both = `client-cert ${clientCert} and client-key ${clientKey}`;
  if (!own.checkPrivateKey(keyIn(spec, clientKey, key))) {
    throw new StillageError("invalid", `${spec.name}: ${both} are not a pair (${spec.origin})`, {
      hint: "the key has to be that of the first certificate in its file",
    });
  }
  // What OpenSSL finds too weak, it says only here.
  parsed(spec, "client-cert", `${clientCert} with ${clientKey}`, () => createSecureContext({ cert: certificate, key }));
  return { certificate, key };
}

const beginning = "-----BEGIN ";
const certificateBlock = /-----BEGIN (X509 |TRUSTED |)CERTIFICATE-----[^-]*-----END \1CERTIFICATE-----/g;
const keyBeginning = /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/;
const lockedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

function readPem(spec: RemoteSpec, what: Setting, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw refusal(spec, `${what} ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  if (text.includes(beginning)) return text;
  throw refusal(spec, `${what} ${path} is not PEM`);
}

/** Of a file that may have other things in it as well. */
function certificatesIn(spec: RemoteSpec, what: Setting, path: string, pem: string): readonly string[] {
  const found = pem.match(certificateBlock);
  if (found !== null) return found;
  const instead = keyBeginning.test(pem) ? ", but a private key" : "";
  throw refusal(spec, `${what} ${path} has no certificate in it${instead}`, instead === "" ? {} : { hint: swapped });
}

function keyIn(spec: RemoteSpec, path: string, pem: string): KeyObject {
  if (!keyBeginning.test(pem)) {
    const instead = pem.search(certificateBlock) < 0 ? "" : ", but a certificate";
    const why = `client-key ${path} has no private key in it${instead}`;
    throw refusal(spec, why, instead === "" ? {} : { hint: swapped });
  }
  if (lockedKey.test(pem)) {
    throw refusal(spec, `client-key ${path} is encrypted, and nobody is asked for its passphrase`, {
      hint: `\`openssl pkey -in ${path} -out FILE\` writes it without one`,
    });
  }
  return parsed(spec, "client-key", path, () => createPrivateKey(pem));
}

const swapped = "certificates go to `server-cert` and `client-cert`, the private key to `client-key`";

function parsed<T>(spec: RemoteSpec, what: Setting, path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw refusal(spec, `${what} ${path} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function refusal(spec: RemoteSpec, why: string, details: { hint?: string; cause?: unknown } = {}): StillageError {
  return new StillageError("invalid", `${spec.name}: ${why} (${spec.origin})`, details);
}
