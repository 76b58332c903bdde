import { Slices } from "../base/slices.ts";

/** Slices of work that ends where its signal says so. */
export class StoppableSlices extends Slices {
  private readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    super();
    this.signal = signal;
  }

  /** Errors: the reason of the signal, once it is aborted. */
  override async rest(): Promise<void> {
    await super.rest();
    this.signal.throwIfAborted();
  }
}
