/** HTTP/1; HTTP/2 without gRPC, or without TLS where TLS was meant; TLS where it was not. */
export type OtherProtocol = "http/1" | "http/2" | "tls";

/** The cause of an error that says that no gRPC server is there, or not by that scheme: something else answered. */
export class NotGrpc extends Error {
  readonly speaks: OtherProtocol;

  constructor(speaks: OtherProtocol, cause: unknown) {
    super(`${speaks} is spoken there`, { cause });
    this.name = "NotGrpc";
    this.speaks = speaks;
  }
}
