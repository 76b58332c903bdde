/** A job that waits for its turn, and the one behind it. */
interface Waiting {
  readonly begin: () => void;
  next: Waiting | undefined;
}

/** Lets a number of jobs run at the same time; the others wait in the order in which they came, tens of thousands if need be. */
export class Slots {
  private free: number;
  private first: Waiting | undefined;
  private last: Waiting | undefined;

  constructor(count: number) {
    this.free = count;
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((begin) => this.enqueue({ begin, next: undefined }));
    try {
      return await job();
    } finally {
      this.pass();
    }
  }

  private enqueue(waiting: Waiting): void {
    if (this.last === undefined) this.first = waiting;
    else this.last.next = waiting;
    this.last = waiting;
  }

  /** A slot is free: the next job has it. A list, because taking the first of a long array moves all the others. */
  private pass(): void {
    const { first } = this;
    if (first === undefined) {
      this.free++;
      return;
    }
    this.first = first.next;
    if (first.next === undefined) this.last = undefined;
    first.begin();
  }
}
