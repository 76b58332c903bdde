/** What a field means to the transport. Told once when a field is made, so that a field that is referred to again costs one comparison. */
export const fieldKind = Object.freeze({
  method: 0,
  scheme: 1,
  path: 2,
  authority: 3,
  // What follows is no pseudo-header field.
  ordinary: 4,
  contentType: 5,
  contentLength: 6,
  grpcTimeout: 7,
  grpcEncoding: 8,
  te: 9,
  authorization: 10,
  /** What makes a request malformed wherever it stands (RFC 9113, sections 8.2 and 8.3). */
  malformed: 11,
});

const kinds: ReadonlyMap<string, number> = new Map([
  [":method", fieldKind.method],
  [":scheme", fieldKind.scheme],
  [":path", fieldKind.path],
  [":authority", fieldKind.authority],
  ["content-type", fieldKind.contentType],
  ["content-length", fieldKind.contentLength],
  ["grpc-timeout", fieldKind.grpcTimeout],
  ["grpc-encoding", fieldKind.grpcEncoding],
  ["te", fieldKind.te],
  ["authorization", fieldKind.authorization],
  ["connection", fieldKind.malformed],
  ["keep-alive", fieldKind.malformed],
  ["proxy-connection", fieldKind.malformed],
  ["transfer-encoding", fieldKind.malformed],
  ["upgrade", fieldKind.malformed],
]);

/** A token of RFC 9110 without capitals. Names with a colon in front are known ones, or malformed. */
const validName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

const badValue = /[\0\r\n]/;

/** A header field as HPACK tables hold it. */
export class HeaderField {
  readonly name: string;
  /** Each character is one byte of the value. */
  readonly value: string;
  /** One of `fieldKind`. */
  readonly kind: number;
  /** As RFC 7541, section 4.1, counts. */
  readonly size: number;

  constructor(name: string, value: string, kind: number = kindOf(name)) {
    this.name = name;
    this.value = value;
    this.kind = badValue.test(value) ? fieldKind.malformed : kind;
    this.size = name.length + value.length + 32;
  }
}

function kindOf(name: string): number {
  return kinds.get(name) ?? (validName.test(name) ? fieldKind.ordinary : fieldKind.malformed);
}
