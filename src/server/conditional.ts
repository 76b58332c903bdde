/** Whether the client has what has this entity tag (RFC 9110, section 13.1.2). */
export function matchesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((each) => each.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

/** Whether what the client has is as new as this, by the only thing that it says of it (RFC 9110, section 13.1.3). `modified`: milliseconds since 1970. */
export function isUnmodified(headers: Readonly<Record<string, string | undefined>>, modified: number): boolean {
  const { "if-none-match": tags, "if-modified-since": since } = headers;
  if (tags !== undefined || since === undefined) return false;
  const time = Date.parse(since);
  return !Number.isNaN(time) && Math.floor(modified / 1000) * 1000 <= time;
}
