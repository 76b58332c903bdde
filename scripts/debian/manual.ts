// Writes the manual pages into a folder, and what completes commands into a file: from the programs' own help, and the descriptions of settings.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../src/cli/version.ts";
import { type Setting, settingKeys, settings, showFallback } from "../../src/config/settings.ts";
import { type CommandHelp, helpOf } from "./commands.ts";
import { completionOf } from "./completion.ts";

const [folder, completion] = process.argv.slice(2);
if (folder === undefined || completion === undefined) throw new Error("usage: manual.ts FOLDER COMPLETION");
const commands = await helpOf("stillage");
writeFileSync(completion, completionOf(commands));

const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
const day = new Date(seconds * 1000).toISOString().slice(0, 10);

const files = `.SH FILES
.TP
.I /etc/stillage/stillage.yaml
the settings, where nothing names another file: stillage.yaml(5)
.TP
.I /var/lib/stillage
the store of the unit stillage.service
.SH SEE ALSO
stillage(1), bst\\-artifact\\-server(1), bst\\-artifact\\-receive(1), stillage.yaml(5), and /usr/share/doc/stillage/OPERATING.md
`;

page(
  1,
  "stillage",
  "a build\\-artifact cache for BuildStream and Remote Execution API clients",
  ofProgram("stillage", commands),
);
page(
  1,
  "bst-artifact-server",
  "serve artifacts and sources with the flags of BuildStream's program of this name",
  ofProgram("bst-artifact-server", await helpOf("bst-artifact-server")),
);
page(
  1,
  "bst-artifact-receive",
  "take what BuildStream 1.0 pushes over ssh",
  ofProgram("bst-artifact-receive", await helpOf("bst-artifact-receive")),
);
page(5, "stillage.yaml", "settings of Stillage", ofSettings());

function page(section: number, name: string, sentence: string, body: string): void {
  const title = escaped(name);
  const head = `.TH "${title.toUpperCase()}" "${section}" "${day}" "Stillage ${version}" "Stillage"\n.SH NAME\n${title} \\- ${sentence}\n`;
  mkdirSync(join(folder as string, `man${section}`), { recursive: true });
  writeFileSync(join(folder as string, `man${section}`, `${name}.${section}`), head + body + files);
}

function ofProgram(program: string, [first, ...commands]: readonly CommandHelp[]): string {
  if (first === undefined) return "";
  const more =
    commands.length === 0 ? "" : `.SH COMMANDS\n${commands.map((each) => ofCommand(program, each)).join("")}`;
  return `.SH SYNOPSIS\n.nf\n${escaped(first.text.replace(/^Usage: (.*)[\s\S]*/, "$1"))}\n.fi\n.SH DESCRIPTION\n${verbatim(first)}${more}`;
}

function ofCommand(program: string, command: CommandHelp): string {
  return `.SS "${escaped([program, ...command.path].join(" "))}"\n${verbatim(command)}`;
}

function verbatim({ text }: CommandHelp): string {
  return `.nf\n${escaped(text.trimEnd())}\n.fi\n`;
}

function ofSettings(): string {
  const entries = settingKeys.map((key) => {
    const setting = settings[key] as Setting<unknown>;
    const { name, type, sentence, variable } = setting;
    const words = `${sentence} Value: ${type}. Default: ${showFallback(setting)}. In the environment: ${variable}.`;
    return `.TP\n.B ${escaped(name)}\n${escaped(words)}\n`;
  });
  return `.SH DESCRIPTION
A YAML file with one key for each setting. \\fBstillage config check\\fR reports everything that is wrong with it, \\fBstillage config show\\fR
where each value comes from. Examples are in /usr/share/doc/stillage/CONFIGURATION.md.
.SH SETTINGS
${entries.join("")}`;
}

/** Text as troff shows it as it is. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
}
