/** Whether the server takes calls: not yet while it starts, no longer while it stops. */
export class Readiness {
  private current = false;
  private readonly waiting = new Set<() => void>();

  get ready(): boolean {
    return this.current;
  }

  set(ready: boolean): void {
    if (ready === this.current) return;
    this.current = ready;
    for (const wake of [...this.waiting]) wake();
  }

  /** Resolves at the next change; rejects when `signal` is aborted. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.waiting.delete(wake);
        signal.removeEventListener("abort", stop);
        settle();
      };
      const wake = (): void => end(resolve);
      const stop = (): void => end(() => reject(signal.reason));
      if (signal.aborted) return reject(signal.reason);
      this.waiting.add(wake);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}
