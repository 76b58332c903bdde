/** Words that differ in more letters than this are not taken for misspelt. */
const maxDistance = 2;

/** So many letters of a longer word are enough to mean it. */
const minBeginning = 4;

/** "; did you mean X?" for the candidate that `word` is most likely meant to be; empty where none is close. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? "" : `; did you mean ${candidate}?`;
}

/** The candidate that `word` is most likely meant to be, if any is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distanceTo(candidate, word) }))
    .filter(({ candidate, distance }) => distance <= Math.min(maxDistance, candidate.length / 2))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

function distanceTo(candidate: string, word: string): number {
  if (word.length >= minBeginning && candidate.startsWith(word)) return 1;
  return editDistance(word, candidate);
}

/** Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const cost = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => cost[i * width + j] as number;
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      let best = i === 0 ? j : i;
      if (i > 0 && j > 0) {
        best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
        const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
        if (swapped) best = Math.min(best, at(i - 2, j - 2) + 1);
      }
      cost[i * width + j] = best;
    }
  }
  return at(a.length, b.length);
}
