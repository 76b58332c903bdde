/** Memory that many share: who needs some waits for its turn, in order. What is larger than all of it gets all of it. */
export class ByteBudget {
  private readonly max: number;
  private held = 0;
  private readonly waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(max: number) {
    this.max = max;
  }

  /** Runs `work` while it holds so many bytes. Who holds some asks for no more before they are given back. */
  async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(bytes, this.max);
    if (this.waiting.length > 0 || this.held + taken > this.max) {
      await new Promise<void>((go) => this.waiting.push({ bytes: taken, go }));
    } else this.held += taken;
    try {
      return await work();
    } finally {
      this.held -= taken;
      this.wake();
    }
  }

  private wake(): void {
    for (let next = this.waiting[0]; next && this.held + next.bytes <= this.max; next = this.waiting[0]) {
      this.waiting.shift();
      this.held += next.bytes;
      next.go();
    }
  }
}
