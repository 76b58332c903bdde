/** Where the time comes from: milliseconds since 1970. Code takes one as an argument, so that tests set the time. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
