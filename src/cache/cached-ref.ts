import { isRefName } from "../ostree/ref-name.ts";

/** Whether a ref is that of an artifact: PROJECT/ELEMENT/KEY. As all have as many parts, none is the directory of another. */
export function isCachedRef(name: string): boolean {
  return isRefName(name) && name.split("/").length === 3;
}
