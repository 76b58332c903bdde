/** How many are remembered; frames that were on their way when a stream ended follow within far fewer. */
const remembered = 256;

/** The streams of a connection that ended last, and which of them the client may not know of yet. */
export class ClosedStreams {
  private readonly ids = new Int32Array(remembered);
  private readonly early = new Uint8Array(remembered);
  private next = 0;

  add(id: number, early: boolean): void {
    this.ids[this.next] = id;
    this.early[this.next] = early ? 1 : 0;
    this.next = (this.next + 1) % remembered;
  }

  has(id: number): boolean {
    return this.ids.includes(id);
  }

  /** Whether frames of the stream can still be on their way, with nothing wrong about them. */
  endedEarly(id: number): boolean {
    const at = this.ids.indexOf(id);
    return at >= 0 && this.early[at] === 1;
  }
}
