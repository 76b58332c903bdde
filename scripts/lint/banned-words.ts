/** What no file of the project says, and why. A character in brackets keeps a pattern from finding itself. */
const banned: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\b(TO[D]O|FI[X]ME|X[X]X|HA[C]K)\b/, "what is left to do is done, or an issue"],
  [/(?<![\w.-])\/(wor[k]|roo[t]|hom[e])\/[\w.]/, "a path of one machine"],
  [
    /regist[r]y\.(npmjs|yarnpkg)|pyp[i]\.org|pythonhoste[d]|prox[y]\.golang|de[b]\.debian\.org/,
    "the host of a package registry",
  ],
  [/\b(tes[t]|i[t]|describ[e])\.(skip|todo|only)\(|\b(skip|todo|only): tru[e]\b/, "a test that does not run"],
];

export function bannedWords(text: string): string[] {
  return text.split("\n").flatMap((line, index) =>
    banned.flatMap(([pattern, why]) => {
      const found = pattern.exec(line);
      return found === null ? [] : [`line ${index + 1}: "${found[0]}": ${why}`];
    }),
  );
}
