import { HeaderField } from "./header-field.ts";

/** RFC 7541, appendix A: entries from 1 on; a name alone has an empty value. */
const entries = [
  ":authority",
  ":method GET",
  ":method POST",
  ":path /",
  ":path /index.html",
  ":scheme http",
  ":scheme https",
  ":status 200",
  ":status 204",
  ":status 206",
  ":status 304",
  ":status 400",
  ":status 404",
  ":status 500",
  "accept-charset",
  "accept-encoding gzip, deflate",
  "accept-language",
  "accept-ranges",
  "accept",
  "access-control-allow-origin",
  "age",
  "allow",
  "authorization",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "etag",
  "expect",
  "expires",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "link",
  "location",
  "max-forwards",
  "proxy-authenticate",
  "proxy-authorization",
  "range",
  "referer",
  "refresh",
  "retry-after",
  "server",
  "set-cookie",
  "strict-transport-security",
  "transfer-encoding",
  "user-agent",
  "vary",
  "via",
  "www-authenticate",
];

function fieldOf(entry: string): HeaderField {
  const space = entry.indexOf(" ");
  return space < 0 ? new HeaderField(entry, "") : new HeaderField(entry.slice(0, space), entry.slice(space + 1));
}

/** The fields by index less one. */
export const staticTable: readonly HeaderField[] = Object.freeze(entries.map(fieldOf));

/** The lowest index of each name, and of each name with its value as `name value`. */
export const staticIndex: ReadonlyMap<string, number> = new Map(
  entries
    .flatMap((entry, i): [string, number][] => [
      [entry, i + 1],
      [(staticTable[i] as HeaderField).name, i + 1],
    ])
    .reverse(),
);
