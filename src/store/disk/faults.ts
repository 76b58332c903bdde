/**
 * Named points of the write paths, which tests ask to be told of: there they kill the process, or throw the error that the
 * next step would have met.
 */
export interface FaultPoints {
  reach(point: FaultPoint): void;
}

export type FaultPoint =
  | "pack created"
  | "pack written"
  | "pack synced"
  | "index written"
  | "index half written"
  | "file shared"
  | "file synced"
  | "file journaled"
  | "file moved"
  | "removal journaled"
  | "blobs removed"
  | "pack copied"
  | "copy switched"
  | "pack renamed"
  | "pack deleted"
  | "index rewritten"
  | "index replaced";

export const noFaults: FaultPoints = { reach: () => {} };
