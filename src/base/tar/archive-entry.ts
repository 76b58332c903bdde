/** One thing in an archive, as the archive says it: nothing of it is checked. Byte arrays are valid until the next entry. */
export type ArchiveEntry = {
  /** Its path, in an encoding that should be UTF-8. */
  readonly path: Uint8Array;
} & (
  | { readonly kind: "directory" }
  | { readonly kind: "symlink"; readonly target: Uint8Array }
  /** `target` is the path of an entry before this one. */
  | { readonly kind: "hard link"; readonly target: Uint8Array }
  | {
      readonly kind: "file";
      readonly size: number;
      readonly executable: boolean;
      /** Its bytes in pieces, each valid until the next; read to the end, or not at all. */
      content(): AsyncIterable<Uint8Array>;
    }
);
