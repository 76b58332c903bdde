import { mayBeName } from "../artifact/directory-entries.ts";

/** What file systems take. */
const maxBytes = 255;

/** Names of files in one directory, made of texts from outside: each is that of one file, which nobody hides, and no two are alike. */
export class FileNames {
  private readonly taken = new Set<string>();

  /** One that is too long is cut before `ending`. */
  take(text: string, ending = ""): string {
    const plain = text.replaceAll("/", "-").replaceAll("\0", "");
    const stem = mayBeName(plain) && !plain.startsWith(".") ? plain : `log-${plain}`;
    for (let count = 1; ; count++) {
      const end = count === 1 ? ending : `${ending}-${count}`;
      const name = cutTo(stem, maxBytes - Buffer.byteLength(end)) + end;
      if (this.taken.has(name)) continue;
      this.taken.add(name);
      return name;
    }
  }
}

/** As much of a text as has so many bytes, in whole characters. */
function cutTo(text: string, bytes: number): string {
  const all = Buffer.from(text);
  let end = Math.min(bytes, all.length);
  // What goes on with a character cannot begin one.
  while (end < all.length && ((all[end] ?? 0) & 0xc0) === 0x80) end--;
  return all.toString("utf8", 0, end);
}
