/** What the programs end with (docs/CONFIGURATION.md). */
export const exitStatus = {
  done: 0,
  /** A failure while running. */
  failed: 1,
  /** Wrong usage or configuration: nothing was started. */
  usage: 2,
} as const;
