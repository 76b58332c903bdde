export type Matcher = (text: string) => boolean;

/** Tells whether a text fits a pattern, in which `*` stands for any characters, none included. Takes time in proportion to the text. */
export function matcher(pattern: string): Matcher {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(head)) return false;
    let at = head.length;
    for (const piece of rest) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return text.length - tail.length >= at && text.endsWith(tail);
  };
}
