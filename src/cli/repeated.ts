/** The parser of an option that can be repeated: all of its values in order. */
export function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
