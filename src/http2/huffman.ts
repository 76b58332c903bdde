/**
 * The Huffman code of RFC 7541, appendix B. It is canonical, so the lengths say all: one base-36 digit for each symbol
 * 0 to 255; the symbol after them, EOS, has 30 bits.
 */
const lengths =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq";

const endOfString = 256;

// The decoder reads four bits at a time: `steps[node * 16 + bits]` is the next node, and the symbol that the bits completed, if any.
// A code has at least five bits, so four bits complete at most one.
const noSymbol = 0x1ff;
const symbolShift = 9;
const nodeMask = 0x1ff;
const failed = nodeMask;
const steps = new Uint32Array(256 * 16);
/** Whether a string may end at a node: the bits since the last symbol are fewer than eight and all ones. */
const accepting = new Uint8Array(256);

build();

function build(): void {
  // A tree of 256 inner nodes: `children[node * 2 + bit]` is a node, or ~symbol.
  const children = new Int16Array(512);
  let nodes = 1;
  const symbols = Array.from({ length: 257 }, (_, symbol) => symbol);
  const bitsOf = (symbol: number): number =>
    symbol === endOfString ? 30 : Number.parseInt(lengths[symbol] as string, 36);
  symbols.sort((a, b) => bitsOf(a) - bitsOf(b) || a - b);
  let code = 0;
  let length = 0;
  for (const symbol of symbols) {
    code <<= bitsOf(symbol) - length;
    length = bitsOf(symbol);
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node * 2 + ((code >>> bit) & 1);
      if (children[at] === 0) children[at] = nodes++;
      node = children[at] as number;
    }
    children[node * 2 + (code & 1)] = ~symbol;
    code++;
  }
  for (let node = 0; node < 256; node++) {
    for (let bits = 0; bits < 16; bits++) steps[node * 16 + bits] = step(children, node, bits);
  }
  for (let node = 0, depth = 0; depth < 8; depth++) {
    accepting[node] = 1;
    node = children[node * 2 + 1] as number;
  }
}

function step(children: Int16Array, from: number, bits: number): number {
  let node = from;
  let symbol = noSymbol;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[node * 2 + ((bits >>> bit) & 1)] as number;
    if (next >= 0) node = next;
    else if (~next === endOfString) return (noSymbol << symbolShift) | failed;
    else {
      symbol = ~next;
      node = 0;
    }
  }
  return (symbol << symbolShift) | node;
}

/**
 * Decodes `bytes` from `start` to `end` into `target` and returns how many bytes that gave; -1 where it is no Huffman code.
 * `target` has room for 8/5 of the input.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let node = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    for (let bits = byte >>> 4, half = 0; half < 2; bits = byte & 15, half++) {
      const next = steps[node * 16 + bits] as number;
      node = next & nodeMask;
      if (node === failed) return -1;
      const symbol = next >>> symbolShift;
      if (symbol !== noSymbol) target[length++] = symbol;
    }
  }
  return accepting[node] === 1 ? length : -1;
}
