/** How far a backup or a restore is. */
export class BackupProgress {
  phase: "linking" | "copying refs" | "copying" | "verifying" = "linking";
  /** Of the refs that are copied, from 0 to 1. */
  share = 0;
  /** Bytes that were copied, of those to copy, as far as these are known. */
  bytes = 0;
  bytesToCopy = 0;
  /** Bytes that were verified, of those that were copied. */
  verified = 0;
}
