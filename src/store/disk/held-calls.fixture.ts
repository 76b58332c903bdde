import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

type Callback = (error: Error | null, ...rest: unknown[]) => void;

interface HeldCall {
  readonly fd: number;
  readonly go: () => void;
  /** Lets it happen, and says that it failed. */
  readonly fail: (code: string) => void;
}

/** Holds the calls that are made of a function on descriptors until they are let go: a disk that is as slow, and as bad, as a test wants it. */
export class HeldCalls implements Disposable {
  readonly held: HeldCall[] = [];
  /** Descriptors that were closed while a call on them was held. */
  readonly closedEarly: number[] = [];
  private readonly name: "write" | "fdatasync" | "close";
  private readonly real = { write: fs.write, fdatasync: fs.fdatasync, close: fs.close };
  private arrived: (() => void) | undefined;

  /** `close` holds those of files below `directory`. */
  constructor(name: "write" | "fdatasync" | "close", directory = "/") {
    this.name = name;
    const real = this.real[name] as unknown as (...args: unknown[]) => void;
    const close = (fd: number, done: Callback): void => {
      if (this.held.some((each) => each.fd === fd)) this.closedEarly.push(fd);
      this.real.close(fd, done);
    };
    const hold = (fd: number, ...rest: unknown[]): void => {
      if (!fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)) {
        real(fd, ...rest);
        return;
      }
      const done = rest.pop() as Callback;
      const call: HeldCall = {
        fd,
        go: () => this.start(call, () => real(fd, ...rest, done)),
        fail: (code) =>
          this.start(call, () => real(fd, ...rest, () => done(Object.assign(new Error("the disk fails"), { code })))),
      };
      this.held.push(call);
      this.arrived?.();
    };
    Object.assign(fs, { close, [name]: hold });
    syncBuiltinESMExports();
  }

  /** Waits for a call that is held. */
  async next(): Promise<HeldCall> {
    if (this.held.length === 0) {
      await new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
    }
    return this.held[0] as HeldCall;
  }

  /** Holds nothing from now on. */
  letGo(): void {
    Object.assign(fs, { [this.name]: this.real[this.name] });
    syncBuiltinESMExports();
    for (const { go } of [...this.held]) go();
  }

  [Symbol.dispose](): void {
    this.letGo();
    Object.assign(fs, this.real);
    syncBuiltinESMExports();
  }

  private start(call: HeldCall, work: () => void): void {
    this.held.splice(this.held.indexOf(call), 1);
    work();
  }
}
