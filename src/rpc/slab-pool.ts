const firstClassBytes = 4096;

/** Idle buffers are kept up to this sum, so that a busy server gets by without page faults. */
const maxIdleBytes = 24 * 1024 * 1024;

/** Buffers of all sizes that are used again and again. Whoever takes them bounds how many are out. */
export class SlabPool {
  private readonly idle: Buffer[][] = [];
  private idleBytes = 0;

  /** A buffer of at least so many bytes. */
  take(bytes: number): Buffer {
    const index = classOf(bytes);
    const slab = this.idle[index]?.pop();
    if (slab === undefined) return Buffer.allocUnsafeSlow(sizeOf(index));
    this.idleBytes -= slab.length;
    return slab;
  }

  /** Takes a buffer back that nobody looks at any more. */
  give(slab: Buffer): void {
    if (this.idleBytes + slab.length > maxIdleBytes) return;
    const index = classOf(slab.length);
    this.idle[index] ??= [];
    this.idle[index].push(slab);
    this.idleBytes += slab.length;
  }
}

/** Buffers come in sizes of 4 KiB times 1, 1.5, 2, 3, 4, 6 and so on: at most a third of one is wasted. */
function classOf(bytes: number): number {
  if (bytes <= firstClassBytes) return 0;
  const exponent = 31 - Math.clz32((bytes - 1) / firstClassBytes);
  const power = firstClassBytes << exponent;
  return bytes <= power * 1.5 ? exponent * 2 + 1 : exponent * 2 + 2;
}

function sizeOf(index: number): number {
  const power = firstClassBytes << (index >> 1);
  return index % 2 === 0 ? power : power * 1.5;
}
