/** Whether `glob`, where `*` is any text and `?` any one character, describes all of `text`. Takes time by the product of their lengths at most. */
export function globMatches(glob: string, text: string): boolean {
  const pattern = [...glob];
  const chars = [...text];
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < chars.length; ) {
    if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === chars[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

export function hasWildcard(glob: string): boolean {
  return /[*?]/.test(glob);
}
