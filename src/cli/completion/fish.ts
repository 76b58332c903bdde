import { allShapes, type CommandShape, type OptionShape } from "../command-shape.ts";
import { isFile, shortly } from "./completed.ts";

/** What completes the commands, flags and values of a program in fish. */
export function fishCompletion(program: CommandShape): string {
  const name = program.path.join(" ");
  const lines = [...allShapes(program)].flatMap((each) => linesOf(name, each));
  return `# fish completion for ${name}(1)
# The words of the command line that are commands, beginning with those of the arguments.
function __${name}_at
    set -l words (commandline -opc)[2..-1]
    set -l commands (string match -v -- '-*' $words)
    test (count $commands) -ge (count $argv); or return 1
    for i in (seq (count $argv))
        test "$commands[$i]" = "$argv[$i]"; or return 1
    end
end
# Whether exactly those commands are there, and a further one may come.
function __${name}_after
    __${name}_at $argv; or return 1
    set -l commands (string match -v -- '-*' (commandline -opc)[2..-1])
    test (count $commands) -eq (count $argv)
end
${lines.join("\n")}
`;
}

function linesOf(name: string, command: CommandShape): string[] {
  const words = command.path.slice(1);
  const at = `-n '${[`__${name}_at`, ...words].join(" ")}'`;
  const after = `-n '${[`__${name}_after`, ...words].join(" ")}'`;
  const lines = command.subcommands.map(
    (each) => `complete -c ${name} -f ${after} -a ${each.path.at(-1)} -d ${quotedForFish(shortly(each.says))}`,
  );
  const leaf = command.subcommands.length === 0;
  if (leaf && !command.arguments.some((each) => isFile(each.name))) lines.push(`complete -c ${name} -f ${at}`);
  for (const { choices } of command.arguments) {
    if (choices.length > 0) lines.push(`complete -c ${name} -f ${at} -a '${choices.join(" ")}'`);
  }
  return [...lines, ...command.options.map((each) => `complete -c ${name} ${leaf ? at : after} ${optionWords(each)}`)];
}

function optionWords({ long, short, value, says, choices }: OptionShape): string {
  const named = `${short === undefined ? "" : `-s ${short.slice(1)} `}-l ${long.slice(2)} -d ${quotedForFish(shortly(says))}`;
  if (value === undefined) return named;
  if (choices.length > 0) return `${named} -x -a '${choices.join(" ")}'`;
  return `${named} ${isFile(value) ? "-r -F" : "-x"}`;
}

function quotedForFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
