/** The longest time that Node's timers take; a deadline beyond it is none. */
const maxDelayMs = 2 ** 31 - 1;

/** A call that has to end in time. */
export interface Expiring {
  /** By the clock of `Deadlines`. */
  readonly deadline: number;
  expire(): void;
}

/** The deadlines of all calls, with one timer: most calls end long before, and cost a look into a set. */
export class Deadlines {
  private readonly now: () => number;
  private readonly calls = new Set<Expiring>();
  private timer: NodeJS.Timeout | undefined;
  private due = Number.POSITIVE_INFINITY;

  constructor(now: () => number) {
    this.now = now;
  }

  add(call: Expiring): void {
    if (call.deadline - this.now() > maxDelayMs) return;
    this.calls.add(call);
    if (call.deadline < this.due) this.arm(call.deadline);
  }

  remove(call: Expiring): void {
    this.calls.delete(call);
  }

  close(): void {
    clearTimeout(this.timer);
    this.calls.clear();
  }

  private arm(due: number): void {
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.sweep(), Math.max(0, Math.ceil(due - this.now())));
    this.timer.unref();
  }

  private sweep(): void {
    const now = this.now();
    let next = Number.POSITIVE_INFINITY;
    this.due = next;
    for (const call of [...this.calls]) {
      if (call.deadline > now) next = Math.min(next, call.deadline);
      else if (this.calls.delete(call)) call.expire();
    }
    if (next < this.due) this.arm(next);
  }
}
