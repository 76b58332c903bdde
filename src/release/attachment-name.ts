import { releaseFiles } from "./release-repository.ts";

export const maxNameLength = 128;

/** Names that an attachment cannot have: those of what lies beside every release. */
export const reservedNames: readonly string[] = Object.values(releaseFiles);

/** Whether an attachment can be called so: the name of a file in the release's own directory, and nothing else. */
export function isAttachmentName(name: string): boolean {
  return name.length <= maxNameLength && /^[A-Za-z0-9_][-+~.\w]*$/.test(name) && !reservedNames.includes(name);
}
