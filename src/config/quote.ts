/** Longer words are cut where they are shown: a sentence stays readable whatever was written. */
const shownLength = 80;

/** What somebody wrote, as it is shown to them: in quotes, control characters escaped, bounded. */
export function quote(text: string): string {
  return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
}
