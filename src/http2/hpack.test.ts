import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { ConnectionError, errorCode } from "./protocol.ts";
import { RequestHeaders } from "./request-headers.ts";

type Fields = [name: string, value: string][];

function decode(decoder: HpackDecoder, block: Uint8Array, limit = 1 << 20): Fields {
  const bytes = Buffer.concat([Buffer.from("before"), block, Buffer.from("after")]);
  const headers = new RequestHeaders(limit);
  decoder.decode(bytes, 6, 6 + block.length, headers);
  return headers.fields.map(({ name, value }) => [name, value]);
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const request1: Fields = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const request2: Fields = [...request1, ["cache-control", "no-cache"]];
const request3: Fields = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];
const date = "Mon, 21 Oct 2013 20:13:21 GMT";
const later = "Mon, 21 Oct 2013 20:13:22 GMT";
const place = "https://www.example.com";
const response1: Fields = [
  [":status", "302"],
  ["cache-control", "private"],
  ["date", date],
  ["location", place],
];
const response2: Fields = [
  [":status", "307"],
  ["cache-control", "private"],
  ["date", date],
  ["location", place],
];
const response3: Fields = [
  [":status", "200"],
  ["cache-control", "private"],
  ["date", later],
  ["location", place],
  ["content-encoding", "gzip"],
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];

/** A table of 256 bytes, as the examples have it. */
const smallTable = "3f e1 01";

/** RFC 7541, appendix C: blocks that one decoder reads one after the other. */
const examples: [name: string, blocks: [block: string, fields: Fields][]][] = [
  ["C.2.1", [["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", [["custom-key", "custom-header"]]]]],
  ["C.2.2", [["040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]]]],
  ["C.2.3", [["1008 7061 7373 776f 7264 0673 6563 7265 74", [["password", "secret"]]]]],
  ["C.2.4", [["82", [[":method", "GET"]]]]],
  [
    "C.3",
    [
      ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", request1],
      ["8286 84be 5808 6e6f 2d63 6163 6865", request2],
      ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", request3],
    ],
  ],
  [
    "C.4",
    [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", request1],
      ["8286 84be 5886 a8eb 1064 9cbf", request2],
      ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", request3],
    ],
  ],
  [
    "C.5",
    [
      [
        `${smallTable} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e
      1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        response1,
      ],
      ["4803 3330 37c1 c0bf", response2],
      [
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a
      4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
        response3,
      ],
    ],
  ],
  [
    "C.6",
    [
      [
        `${smallTable} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b
      97c8 e9ae 82ae 43d3`,
        response1,
      ],
      ["4883 640e ffc1 c0bf", response2],
      [
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960
      d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
        response3,
      ],
    ],
  ],
];

for (const [name, blocks] of examples) {
  test(`RFC 7541, ${name}`, () => {
    const decoder = new HpackDecoder();
    for (const [block, fields] of blocks) assert.deepEqual(decode(decoder, hex(block.replace(/\s/g, ""))), fields);
  });
}

test("what is encoded decodes to the same", () => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 300,
  });
  const name = fc.oneof(fc.constantFrom(":status", "content-type", "grpc-status", ":path", "accept"), text);
  const value = fc.oneof(fc.constantFrom("200", "", "0", "/", "application/grpc"), text);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (fields) => {
      assert.deepEqual(decode(new HpackDecoder(), encodeHeaders(fields)), fields);
    }),
  );
});

const badBlocks: [name: string, block: string][] = [
  ["index 0", "80"],
  ["an index beyond the tables", "be"],
  ["a name's index beyond the tables", "7f 00 01 61"],
  ["an index that breaks off", "ff"],
  ["an integer without end", "ff ff ff ff ff ff ff 01"],
  ["a literal without a name", "40"],
  ["a name beyond the end", "40 05 61 62"],
  ["a literal without a value", "40 01 61"],
  ["a value beyond the end", "40 01 61 7f 80 ff ff ff"],
  ["a table larger than allowed", "3f e2 1f"],
  ["a table size behind a field", "82 20"],
  ["a Huffman code with padding of zeros", "40 01 61 81 00"],
  ["a Huffman code with a byte of padding", "40 01 61 82 1f ff"],
  ["a Huffman code with its end in it", "40 01 61 84 ff ff ff ff"],
];

for (const [name, block] of badBlocks) {
  test(`${name} is a compression error`, () => {
    assert.throws(
      () => decode(new HpackDecoder(), hex(block)),
      (error) => error instanceof ConnectionError && error.code === errorCode.compressionError,
    );
  });
}

test("no bytes at all make the decoder fail otherwise", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      try {
        for (const block of blocks) decode(decoder, block);
      } catch (error) {
        assert.ok(error instanceof ConnectionError);
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
});

test("the table keeps to its size, and a list to its limit", () => {
  const decoder = new HpackDecoder();
  const large = "v".repeat(2000);
  // Two entries of 2,033 bytes fit into 4,096; the third pushes the first out.
  for (const name of ["a", "b", "c"])
    decode(decoder, Buffer.concat([hex("40 01"), Buffer.from(name), hex("7f d1 0e"), Buffer.from(large)]));
  assert.deepEqual(decode(decoder, hex("be bf")), [
    ["c", large],
    ["b", large],
  ]);
  assert.throws(() => decode(decoder, hex("c0")));
  const again = new HpackDecoder();
  decode(again, Buffer.concat([hex("40 01 61 7f d1 0e"), Buffer.from(large)]));
  // A few bytes that stand for much: what is beyond the limit is not kept.
  assert.equal(decode(again, Buffer.alloc(1000, 0xbe), 10_000).length, 4);
});
