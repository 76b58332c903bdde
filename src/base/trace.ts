/** Runs work that takes time, and tells whoever traces the server what it was and how long it took. Names are few; values go into attributes. */
export type Trace = <T>(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  work: () => Promise<T>,
) => Promise<T>;

/** Tells nobody. */
export const untraced: Trace = (_name, _attributes, work) => work();
