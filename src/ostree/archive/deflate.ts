import { constants, deflateRaw, deflateRawSync } from "node:zlib";
import { isCompressible } from "./compressible.ts";

/** Bytes that are deflated by themselves, each in a thread of zlib's: large enough that nothing is lost between them. */
export const blockBytes = 1024 * 1024;

/** Blocks of one content at the same time: what bounds its memory, and keeps the threads busy. */
const blocksAhead = 4;

/** Bytes below which a thread costs more than it takes off. */
const smallBytes = 4096;

/** How far back deflate looks. */
const windowBytes = 32 * 1024;

/** For content that gains nothing. */
const denseLevel = 1;

/** Deflates content that is at hand, as one raw stream. `level`: 1 to 9. */
export async function deflated(content: Uint8Array, level: number): Promise<Uint8Array> {
  if (content.length <= smallBytes) return deflateRawSync(content, { level });
  return deflateBlock(content, level, undefined, true);
}

/**
 * Deflates content of any length, as one raw stream: blocks that end at a byte, and know what came before them, so that they are made in several
 * threads and one after the other make a stream.
 */
export async function* deflatedBlocks(content: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  const ahead: Promise<Uint8Array>[] = [];
  let last: Uint8Array | undefined;
  let before: Uint8Array | undefined;
  const begin = (block: Uint8Array, isLast: boolean): void => {
    const made = deflateBlock(block, level, before, isLast);
    made.catch(() => {});
    ahead.push(made);
    before = block.subarray(Math.max(0, block.length - windowBytes));
  };
  for await (const block of inBlocks(content)) {
    if (last !== undefined) begin(last, false);
    last = block;
    if (ahead.length >= blocksAhead) yield (await ahead.shift()) as Uint8Array;
  }
  begin(last ?? new Uint8Array(), true);
  for (const made of ahead) yield await made;
}

function deflateBlock(
  block: Uint8Array,
  level: number,
  before: Uint8Array | undefined,
  isLast: boolean,
): Promise<Uint8Array> {
  const options = {
    level: isCompressible(block) ? level : Math.min(level, denseLevel),
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    chunkSize: Math.max(1024, Math.min(block.length, 256 * 1024)),
    ...(before === undefined ? {} : { dictionary: before }),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(block, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

/** Cuts content into blocks of `blockBytes`; the last one is what remains. */
async function* inBlocks(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafeSlow(blockBytes);
  let filled = 0;
  for await (const piece of content) {
    for (let from = 0; from < piece.length; ) {
      const some = piece.subarray(from, from + blockBytes - filled);
      block.set(some, filled);
      filled += some.length;
      from += some.length;
      if (filled < blockBytes) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
