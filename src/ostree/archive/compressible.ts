/** Bytes looked at, in so many places of the content. */
const places = 4;
const placeBytes = 1024;

/** Bits a byte above which there is nothing to gain: 4 KiB of random bytes have 7.95, machine code 5 to 6.5, text 4 to 5. */
const denseBits = 7.8;

const counts = new Uint32Array(256);

/**
 * Whether deflate can make content noticeably smaller, by the frequency of its bytes in a sample: a hundredth of what deflating it costs. It is wrong for dense content that
 * repeats itself, of which a low level still finds most.
 */
export function isCompressible(content: Uint8Array): boolean {
  if (content.length < places * placeBytes) return true;
  counts.fill(0);
  const stride = Math.floor((content.length - placeBytes) / (places - 1));
  for (let place = 0; place < places; place++) {
    const start = place * stride;
    for (let i = start; i < start + placeBytes; i++) {
      const byte = content[i] as number;
      counts[byte] = (counts[byte] as number) + 1;
    }
  }
  const total = places * placeBytes;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= count * Math.log2(count / total);
  return bits / total < denseBits;
}
