/** Who is on the other side of a connection, and by which door. Set by the listener once a connection is made. */
export interface Peer {
  /** `host:port` or `unix`. */
  readonly address: string;
  /** Whether this listener takes writes. */
  readonly push: boolean;
  readonly tls: boolean;
  /** Subject of the client's certificate, where it was verified. */
  readonly subject: string | undefined;
}
