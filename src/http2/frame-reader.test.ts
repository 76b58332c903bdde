import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { clientPreface, flag, frameType } from "./protocol.ts";
import { frame } from "./raw-client.fixture.ts";

/** Notes what a reader says, data joined. */
class Notes implements FrameSink {
  readonly lines: string[] = [];
  private data = "";

  dataFrame(stream: number, length: number): void {
    this.lines.push(`data ${stream} ${length}`);
  }

  dataPiece(bytes: Buffer, start: number, end: number): void {
    assert.ok(end > start);
    this.data += bytes.toString("hex", start, end);
  }

  dataEnd(endStream: boolean): void {
    this.lines.push(`${this.data} ${endStream}`);
    this.data = "";
  }

  frame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    this.lines.push(`${type} ${flags} ${stream} ${bytes.toString("hex", start, end)}`);
  }
}

const dataFrame = fc
  .record({
    stream: fc.nat(0x7fff_ffff),
    end: fc.boolean(),
    body: fc.uint8Array(),
    padding: fc.option(fc.nat(255), { nil: undefined }),
  })
  .map(({ stream, end, body, padding }) => {
    const flags = (end ? flag.endStream : 0) | (padding === undefined ? 0 : flag.padded);
    const payload = padding === undefined ? body : Buffer.concat([Buffer.from([padding]), body, Buffer.alloc(padding)]);
    const note = `${Buffer.from(body).toString("hex")} ${end}`;
    return { bytes: frame(frameType.data, flags, stream, payload), notes: [`data ${stream} ${payload.length}`, note] };
  });

const otherFrame = fc
  .record({
    type: fc.integer({ min: 1, max: 255 }),
    flags: fc.nat(255),
    stream: fc.nat(0x7fff_ffff),
    payload: fc.uint8Array(),
  })
  .map(({ type, flags, stream, payload }) => ({
    bytes: frame(type, flags, stream, payload),
    notes: [`${type} ${flags} ${stream} ${Buffer.from(payload).toString("hex")}`],
  }));

test("frames are the same however the bytes come", () => {
  const frames = fc.array(fc.oneof(dataFrame, otherFrame), { maxLength: 12 });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (sent, cuts) => {
      const notes = new Notes();
      const reader = new FrameReader(notes, 1000);
      const bytes = Buffer.concat([clientPreface, frame(frameType.settings, 0, 0), ...sent.map((each) => each.bytes)]);
      for (let at = 0; at < bytes.length; ) {
        const cut = Math.min(bytes.length - at, cuts.next().value as number);
        // What lies behind the end is not the reader's.
        reader.push(Buffer.concat([bytes.subarray(at, at + cut), Buffer.alloc(20, 0xee)]), cut);
        at += cut;
      }
      assert.deepEqual(notes.lines, ["4 0 0 ", ...sent.flatMap((each) => each.notes)]);
    }),
  );
});
