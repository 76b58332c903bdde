/** A secret that a request carries: a bearer token (RFC 6750, section 2.1), or the password of HTTP Basic (RFC 7617). */
export function secretOf(authorization: string): string | undefined {
  const [, scheme = "", value = ""] = /^([A-Za-z]+) +([\w.~+/=-]{1,16384})$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return value;
    case "basic": {
      const text = Buffer.from(value, "base64").toString();
      const colon = text.indexOf(":");
      return colon < 0 || colon === text.length - 1 ? undefined : text.slice(colon + 1);
    }
    default:
      return undefined;
  }
}
