const swap = new DataView(new ArrayBuffer(8));

/** Turns a number that was read as little-endian into what it is as big-endian, and back. OSTree keeps times so, among little-endian numbers. */
export function bigEndian64(value: bigint): bigint {
  swap.setBigUint64(0, value, true);
  return swap.getBigUint64(0);
}
