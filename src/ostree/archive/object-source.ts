/** What a pull reads from: another repository, wherever it is. */
export interface ObjectSource {
  /**
   * A file of the repository by its path in it, such as `summary` or `objects/ab/cd….filez`; `undefined` where it is not there. The content is read to its end,
   * or not begun.
   * Errors, also while it is read: `unavailable` for what may go well another time, `invalid` for more than `maxBytes`, others for good.
   */
  get(path: string, maxBytes: number): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The bytes that such a file has, without them; `undefined` where it is not there, or cannot be told so. Errors: as of `get`. */
  size?(path: string): Promise<number | undefined>;
}
