import { type ReleaseRecord, timeText } from "./release-record.ts";

/** A release as programs see it: what is not known is null, and no field is left out. */
export function releaseJson(record: ReleaseRecord): object {
  const { branch, commit, parent, subject, body, version, title, contentChecksum } = record;
  const { manifest, artifact, artifactKey, rollbackOf, endOfLife, endOfLifeRebase } = record;
  return {
    ...{ branch, version: version ?? null, commit, parent: parent ?? null },
    time: timeText(record),
    ...{ title: title ?? null, subject, body, contentChecksum, manifest: manifest ?? null },
    ...{ artifact: artifact ?? null, artifactKey: artifactKey ?? null, rollbackOf: rollbackOf ?? null },
    ...{ endOfLife: endOfLife ?? null, endOfLifeRebase: endOfLifeRebase ?? null },
  };
}
