/** What is on its way into the store, in bytes and blobs: enough for several of the store's writes, little enough for any machine. */
const maxBytes = 32 << 20;
const maxBlobs = 8192;

/** Blobs that are being stored while others are read: bounded, and never forgotten before they are durable. */
export class InFlight {
  private readonly blobs = new Map<string, { readonly bytes: Uint8Array; readonly stored: Promise<void> }>();
  private bytes = 0;
  private failure: { readonly error: unknown } | undefined;

  /** The bytes of a blob that is on its way. */
  get(hash: string): Uint8Array | undefined {
    return this.blobs.get(hash)?.bytes;
  }

  /** Begins to store a blob. Resolves when there is room for more; rejects where one before it could not be stored. */
  async add(hash: string, bytes: Uint8Array, store: () => Promise<void>): Promise<void> {
    const stored = store()
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.blobs.delete(hash);
        this.bytes -= bytes.length;
      });
    this.blobs.set(hash, { bytes, stored });
    this.bytes += bytes.length;
    while (this.bytes > maxBytes || this.blobs.size > maxBlobs) await this.oldest();
    this.check();
  }

  /** Resolves when everything is durable. Rejects where something could not be stored. */
  async settled(): Promise<void> {
    while (this.blobs.size > 0) await this.oldest();
    this.check();
  }

  private async oldest(): Promise<void> {
    for (const { stored } of this.blobs.values()) return stored;
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}
