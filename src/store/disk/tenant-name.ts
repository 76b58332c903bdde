import { StillageError } from "../../base/errors.ts";

/** What a file name may have, in nearly every file system. */
const maxLength = 255;

/** The nameless tenant's directory: no other name escapes to this, as `@` itself is escaped. */
const nameless = "@";

/**
 * The directory of a tenant, by its instance name: letters, digits, `-`, `_` and `.` (but for a first one) stand for themselves,
 * any other byte of the name's UTF-8 as `%` and two upper-case hex digits. Errors: `invalid` where that gets too long.
 */
export function directoryOfTenant(instanceName: string): string {
  if (instanceName === "") return nameless;
  let escaped = "";
  for (const byte of Buffer.from(instanceName)) {
    const char = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(char) || (char === "." && escaped !== "");
    escaped += plain ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  if (escaped.length > maxLength) {
    throw new StillageError("invalid", `the instance name ${JSON.stringify(instanceName.slice(0, 80))}… is too long`);
  }
  return escaped;
}

/** The instance name that leads to a directory; `undefined` where none does. */
export function tenantOfDirectory(directory: string): string | undefined {
  if (directory === nameless) return "";
  const bytes = directory.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const name = Buffer.from(bytes, "latin1").toString();
  return name !== "" && directoryOfTenant(name) === directory ? name : undefined;
}
