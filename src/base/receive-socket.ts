/** Where programs of the store's user find its server, in the store's directory: `bst-artifact-receive`, which sshd starts, hands over there what is pushed. */
export const receiveSocketName = "receive.socket";

/** The header by which such a program says for whom it asks. Percent-encoded. */
export const onBehalfHeader = "stillage-for";

/**
 * The file beside such a socket that holds what its server wants to be shown as a bearer token. Whom sshd lets forward ports may reach the socket, as sshd connects as the
 * user whose it is; but no port leads to a file.
 */
export function secretPathOf(socket: string): string {
  return `${socket}.secret`;
}
