import { type Setting, settingKeys, settings, showFallback } from "../../config/settings.ts";
import type { PageOrigin } from "./command-page.ts";
import { entry, escaped, page } from "./troff.ts";

/** The manual page of the server's file of settings. */
export function settingsPage(origin: PageOrigin): string {
  const entries = settingKeys.map((key) => {
    const setting = settings[key] as Setting<unknown>;
    const { name, type, sentence, variable } = setting;
    return entry(
      name,
      `${sentence} Value: ${type}. Default: ${showFallback(setting)}. In the environment: ${variable}.`,
    );
  });
  return page({ name: "stillage.yaml", section: 5, says: "settings of Stillage", ...origin }, [
    [
      "DESCRIPTION",
      `A YAML file with one key for each setting. \\fBstillage config check\\fR reports everything that is wrong with it, \\fBstillage config show\\fR
where each value comes from. Examples are in docs/CONFIGURATION.md.\n`,
    ],
    ["SETTINGS", entries.join("")],
    [
      "FILES",
      entry("/etc/stillage/stillage.yaml", "the settings, where nothing names another file") +
        entry("/var/lib/stillage", "the store of the unit stillage.service"),
    ],
    ["SEE ALSO", `${escaped("stillage(1)")}\n`],
  ]);
}
