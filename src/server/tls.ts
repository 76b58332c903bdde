import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { StillageError } from "../base/errors.ts";

export interface TlsFiles {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** Certificates that sign, or are, the certificates of clients. */
  readonly clientCertificates: string | undefined;
  /** With `clientCertificates`: whether a client must have one. */
  readonly clientAuth: "required" | "optional";
}

/** Reads the files anew and checks that they belong together. Errors: `failed-precondition`, naming the file. */
export async function loadTls(files: TlsFiles): Promise<SecureContextOptions> {
  const { certificate, clientCertificates } = files;
  const options: SecureContextOptions = {
    minVersion: "TLSv1.2",
    cert: await readPem("the certificate", certificate),
    key: await readPem("the key", files.key),
    ...(clientCertificates === undefined ? {} : { ca: await readPem("the client certificates", clientCertificates) }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    const why = (error as Error).message;
    throw new StillageError(
      "failed-precondition",
      `the certificate ${certificate} and the key ${files.key} cannot be used: ${why}`,
      { cause: error, hint: "both are PEM files, and the key is the certificate's own" },
    );
  }
  return options;
}

async function readPem(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StillageError("failed-precondition", `${what} ${path} cannot be read (${code})`, { cause: error });
  }
}
