import { fieldKind, type HeaderField } from "./header-field.ts";

/** The header list of a request, or the trailers after its body. */
export class RequestHeaders {
  readonly fields: HeaderField[] = [];
  method = "";
  scheme = "";
  path = "";
  authority = "";
  contentType = "";
  grpcTimeout = "";
  grpcEncoding = "";
  /** Of several, which nobody may send (RFC 9110, section 5.3), the values joined: nothing that is taken for one. */
  authorization = "";
  /** -1 where there is none. */
  contentLength = -1;
  /** Breaks a rule of RFC 9113, section 8, for the part of the list that was seen. */
  malformed = false;
  /** Was larger than the limit: what is beyond it is not among `fields`. */
  tooLarge = false;
  /** A field that is no pseudo-header field has come: pseudo-header fields stand before all others. */
  private regular = false;
  private bytes = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(field: HeaderField): void {
    this.bytes += field.size;
    if (this.bytes > this.limit) this.tooLarge = true;
    else this.fields.push(field);
    if (field.kind > fieldKind.authority) this.takeRegular(field);
    else this.takePseudo(field);
  }

  private takePseudo(field: HeaderField): void {
    if (this.regular) this.malformed = true;
    switch (field.kind) {
      case fieldKind.method:
        this.method = this.pseudo(this.method, field.value);
        return;
      case fieldKind.scheme:
        this.scheme = this.pseudo(this.scheme, field.value);
        return;
      case fieldKind.path:
        this.path = this.pseudo(this.path, field.value);
        return;
      default:
        this.authority = this.pseudo(this.authority, field.value);
    }
  }

  private takeRegular(field: HeaderField): void {
    this.regular = true;
    switch (field.kind) {
      case fieldKind.ordinary:
        return;
      case fieldKind.contentType:
        this.contentType = field.value;
        return;
      case fieldKind.contentLength:
        this.takeContentLength(field.value);
        return;
      case fieldKind.grpcTimeout:
        this.grpcTimeout = field.value;
        return;
      case fieldKind.grpcEncoding:
        this.grpcEncoding = field.value;
        return;
      case fieldKind.authorization:
        this.authorization = this.authorization === "" ? field.value : `${this.authorization}, ${field.value}`;
        return;
      case fieldKind.te:
        if (field.value !== "trailers") this.malformed = true;
        return;
      default:
        this.malformed = true;
    }
  }

  /** Whether this can begin a request: the pseudo-header fields are there (section 8.3.1; CONNECT is not served). */
  get complete(): boolean {
    return !this.malformed && this.method !== "" && this.scheme !== "" && this.path !== "" && this.method !== "CONNECT";
  }

  /** Whether this can end a request: trailers have no pseudo-header fields (section 8.1). */
  get trailing(): boolean {
    return !this.malformed && this.fields[0]?.name.startsWith(":") !== true;
  }

  /** Values of one name are joined by ", ", cookies by "; " (section 8.2.3). */
  get(name: string): string | undefined {
    let found: string | undefined;
    for (const field of this.fields) {
      if (field.name !== name) continue;
      found = found === undefined ? field.value : `${found}${name === "cookie" ? "; " : ", "}${field.value}`;
    }
    return found;
  }

  /** A pseudo-header field stands once. */
  private pseudo(before: string, value: string): string {
    if (before !== "") this.malformed = true;
    return value;
  }

  private takeContentLength(value: string): void {
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
    if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length)) this.malformed = true;
    this.contentLength = length;
  }
}
