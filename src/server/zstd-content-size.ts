const magic = 0xfd2fb528;

/** Lengths of the content size and the dictionary's id by the flags of the descriptor. */
const dictionaryBytes = [0, 1, 2, 4] as const;

/**
 * The size of the content that the header of a zstd frame tells (RFC 8878, section 3.1.1.1); `undefined` where it tells none, or the bytes
 * are no frame. What follows may belie it: whoever decompresses verifies it.
 */
export function zstdContentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== magic) return undefined;
  const descriptor = view.getUint8(4);
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >>> 6;
  const at = 5 + (single ? 0 : 1) + (dictionaryBytes[descriptor & 3] as number);
  const length = flag === 0 ? (single ? 1 : 0) : 1 << flag;
  if (length === 0 || bytes.length < at + length) return undefined;
  if (length === 1) return view.getUint8(at);
  if (length === 2) return view.getUint16(at, true) + 256;
  if (length === 4) return view.getUint32(at, true);
  const size = view.getBigUint64(at, true);
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : undefined;
}
