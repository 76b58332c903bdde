/** Who is on the other side of a connection, and by which door. Set by the listener once a connection is made. */
export interface Peer {
  /** `host:port` or `unix`. */
  readonly address: string;
  /** The address without its port. */
  readonly host: string;
  /** What counts as one client where nobody has shown who he is: the address, of IPv6 its first 64 bits. */
  readonly network: string;
  /** A loopback address or a Unix socket: nobody else can read what passes, and a proxy may stand for many clients. */
  readonly local: boolean;
  /** Whether this listener takes writes. */
  readonly push: boolean;
  readonly tls: boolean;
  /** At the socket for programs of the store's own user, which say for whom they ask: what they have to show, as others may reach it (`receive-socket.ts`). */
  readonly secret?: string | undefined;
  /** The client's certificate, where it was verified. */
  readonly certificate: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** The values of each attribute of the subject, by its short name such as `CN`. */
  readonly subject: ReadonlyMap<string, readonly string[]>;
  /** SHA-256 of the certificate, in lower-case hex. */
  readonly fingerprint: string;
}
