import type { Digest } from "../../base/digest.ts";
import { isPromise, type MaybePromise } from "../../base/maybe-promise.ts";
import type { Upload } from "../blob-store.ts";
import type { FileUpload } from "../disk/file-upload.ts";
import type { PieceWriter } from "../disk/piece-writer.ts";
import type { GatheredUpload } from "../gathered-upload.ts";
import type { HandedOver, PlainUpload } from "./lent-upload.ts";

/** An upload whose bytes this thread takes, while another one has the store: it sees how many have come. */
export class DistantUpload implements Upload {
  readonly number: number;
  private readonly inner: FileUpload | GatheredUpload;
  private readonly pieces: PieceWriter | undefined;
  private readonly count: Float64Array;

  /** `pieces`: what writes the file of `inner`, where it has one. */
  constructor({ number, received }: PlainUpload, inner: FileUpload | GatheredUpload, pieces?: PieceWriter) {
    this.number = number;
    this.inner = inner;
    this.pieces = pieces;
    this.count = new Float64Array(received);
  }

  get digest(): Digest {
    return this.inner.digest;
  }

  get received(): number {
    return this.inner.received;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    const written = this.inner.write(chunk);
    this.count[0] = this.inner.received;
    return isPromise(written) ? written : undefined;
  }

  rest(): Promise<void> {
    return this.inner.rest();
  }

  finish(): Promise<void> {
    return this.inner.finish();
  }

  abort(): Promise<void> {
    return this.inner.abort();
  }

  /** Where another thread can go on, once this one has rested; nothing else is to be done with it here from then on. */
  handOver(): HandedOver {
    const { inner, pieces, received } = this;
    if (pieces !== undefined) return { received, ...pieces.rested };
    return { received, position: 0, kept: "soFar" in inner ? inner.soFar : new Uint8Array(0) };
  }
}
