import type { ArgumentShape, CommandShape, OptionShape } from "../command-shape.ts";
import { entry, escaped, literal, type PageHead, page } from "./troff.ts";

/** What pages of commands have in common. */
export type PageOrigin = Pick<PageHead, "version" | "day">;

/** What a command's page is called: `stillage-artifact-pull`. */
export function pageName({ path }: CommandShape): string {
  return path.join("-");
}

/** The manual page of a command, as man(7) has them. */
export function commandPage(command: CommandShape, origin: PageOrigin): string {
  const { options, subcommands, use, says } = command;
  const name = pageName(command);
  return page({ name, section: 1, says: says.charAt(0).toLowerCase() + says.slice(1), ...origin }, [
    ["SYNOPSIS", synopsis(command)],
    ["DESCRIPTION", `${escaped(`${says}.`)}\n${use.notes.map((note) => `.PP\n${escaped(note)}\n`).join("")}`],
    ["COMMANDS", subcommands.map((each) => entry(each.path.slice(command.path.length).join(" "), each.says)).join("")],
    ["ARGUMENTS", command.arguments.map((each) => entry(argumentWord(each), each.says)).join("")],
    ["OPTIONS", options.map((each) => entry(optionWord(each), each.says)).join("")],
    ["EXIT STATUS", subcommands.length > 0 ? "" : statuses(command)],
    ["EXAMPLES", use.examples.map(({ says, run }) => `.PP\n${escaped(says)}:\n.PP\n${literal(`    ${run}`)}`).join("")],
    ["SEE ALSO", `${escaped(seeAlso(command))}\n`],
  ]);
}

function synopsis(command: CommandShape): string {
  const words = [
    ...(command.options.length > 0 ? ["[OPTION]..."] : []),
    ...(command.subcommands.length > 0 ? ["COMMAND"] : command.arguments.map(argumentWord)),
  ];
  return `.B ${escaped(command.path.join(" "))}\n${escaped(words.join(" "))}\n`;
}

function argumentWord({ name, required, variadic }: ArgumentShape): string {
  const word = `${name}${variadic ? "..." : ""}`;
  return required ? word : `[${word}]`;
}

function optionWord({ long, short, value }: OptionShape): string {
  return `${short === undefined ? "" : `${short}, `}${long}${value === undefined ? "" : ` ${value}`}`;
}

function statuses({
  use: {
    statuses: { done, failed, usage },
  },
}: CommandShape): string {
  return entry("0", done) + entry("1", failed) + entry("2", usage);
}

function seeAlso(command: CommandShape): string {
  const { path, subcommands, use } = command;
  const around =
    path.length > 1 ? [`${path.slice(0, -1).join("-")}(1)`] : ["bst-artifact-server(1)", "bst-artifact-receive(1)"];
  const below = subcommands.map((each) => `${pageName(each)}(1)`);
  const file = use.see === undefined ? [] : [use.see];
  return [...around, ...below, "stillage.yaml(5)", ...file]
    .filter((each) => each !== `${pageName(command)}(1)`)
    .join(", ");
}
