import { type ErrorCode, StillageError } from "../../base/errors.ts";

/** What is wrong, and what to do. */
export interface Trouble {
  readonly why: string;
  readonly hint: string;
  /** Whether it is the server that does not trust us, and not the other way round. */
  readonly ofUs?: boolean;
  /** That it is not TLS at all is as likely. */
  readonly vague?: boolean;
  /** The server wants to speak HTTP/1. */
  readonly noHttp2?: boolean;
}

const unknownAuthority: Trouble = {
  why: "its certificate is not signed by an authority that is trusted here",
  hint: "name the authority's certificate, or the server's own, by `server-cert`",
};

/** By the code of OpenSSL's verification (X509_V_ERR_…), or of Node where it checks for itself. */
const ofCertificate: Readonly<Record<string, Trouble>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: { ...unknownAuthority, why: "its certificate is self-signed and not trusted here" },
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  INVALID_CA: unknownAuthority,
  CERT_UNTRUSTED: unknownAuthority,
  CERT_HAS_EXPIRED: {
    why: "its certificate has expired",
    hint: "the server needs a new certificate; check this machine's clock too",
  },
  CERT_NOT_YET_VALID: {
    why: "its certificate is not valid yet",
    hint: "check the clocks of this machine and of the server",
  },
  CERT_REVOKED: { why: "its certificate was revoked", hint: "the server needs a new certificate" },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    why: "its certificate is for another name",
    hint: "use a name of the certificate in the URL, or get a certificate for the name in use",
  },
};

const notOurs = {
  ofUs: true,
  hint: "give `client-cert` and `client-key` of a certificate that the server trusts",
} as const;

/** By the code of an alert that the server sent, or of what else came instead of TLS. */
const ofHandshake: Readonly<Record<string, Trouble>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    ...notOurs,
    why: "it wants a certificate of its clients, which `client-cert` and `client-key` name",
  },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: { ...notOurs, why: "it does not trust the authority of our certificate" },
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: { ...notOurs, why: "it refuses our certificate" },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: { ...notOurs, why: "our certificate has expired" },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: { ...notOurs, why: "it does not accept our certificate" },
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: {
    ...notOurs,
    why: "it refuses the TLS handshake",
    hint: `${notOurs.hint}, where it asks for one`,
  },
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: {
    noHttp2: true,
    why: "it speaks TLS but no HTTP/2",
    hint: "it is no gRPC server, or something before it passes HTTP/1 alone",
  },
};

const badPem = {
  why: "our own certificate or key cannot be used",
  hint: "check the files of `auth`: PEM, and a key that belongs to the certificate",
};

/** What a socket's error says of TLS in words; `undefined` for one that is of something else. */
export function tlsTrouble(error: unknown): Trouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return undefined;
  const known = ofCertificate[code] ?? ofHandshake[code];
  if (known !== undefined)
    return code === "ERR_TLS_CERT_ALTNAME_INVALID" ? { ...known, why: `${known.why} (${message})` } : known;
  if (code.startsWith("ERR_OSSL_")) return badPem;
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) {
    return {
      vague: true,
      why: `the TLS handshake failed (${code.replace(/^ERR_/, "")})`,
      hint: "check the URL and the files of `auth`",
    };
  }
  return undefined;
}

/** The same of a server as an error; `at` is what it is called. */
export function tlsFailure(
  at: string,
  { why, hint, ofUs, vague }: Trouble,
  cause: unknown,
  code: ErrorCode = "unavailable",
): StillageError {
  const what = vague === true ? "cannot be reached" : ofUs === true ? "does not let us in" : "cannot be trusted";
  return new StillageError(code, `${at} ${what}: ${why}`, { hint, cause });
}
