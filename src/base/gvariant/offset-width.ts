/** Bytes of each frame offset in a container of `size` bytes, offsets included. */
export function widthIn(size: number): number {
  return size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
}

/** The smallest width with which a container of `body` bytes and `count` frame offsets can be written. */
export function widthFor(body: number, count: number): number {
  return body + count <= 0xff ? 1 : body + 2 * count <= 0xffff ? 2 : body + 4 * count <= 0xffffffff ? 4 : 8;
}
