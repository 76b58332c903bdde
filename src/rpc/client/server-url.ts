/** What a URL of a gRPC server says. */
export interface ServerPlace {
  /** For the requests: scheme, host and port. */
  readonly authority: string;
  readonly tls: boolean;
  readonly where: { readonly path: string } | { readonly host: string; readonly port: number };
}

const plainSchemes = new Set(["http:", "grpc:"]);
const tlsSchemes = new Set(["https:", "grpcs:"]);

/** `http` and `grpc` are plain, `https` and `grpcs` are TLS, `unix:PATH` is a socket. Throws TypeError for another URL. */
export function parseServerUrl(url: string): ServerPlace {
  if (url.startsWith("unix:")) {
    const path = url.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (path === "") throw new TypeError(`${url} names no socket`);
    return { authority: "http://localhost", tls: false, where: { path } };
  }
  const { protocol, hostname, port } = new URL(url);
  const tls = tlsSchemes.has(protocol);
  if (hostname === "" || !(tls || plainSchemes.has(protocol))) throw new TypeError(`${url} is no URL of a gRPC server`);
  // As `new URL` has it, an IPv6 address stands in brackets; a socket takes it without.
  const where = { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) || (tls ? 443 : 80) };
  return { authority: `${tls ? "https" : "http"}://${hostname}:${where.port}`, tls, where };
}
