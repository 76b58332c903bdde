import { allShapes, type CommandShape } from "../command-shape.ts";
import { fixedValues, flagsOf, isFile } from "./completed.ts";

/** What completes the commands, flags and values of a program in bash. */
export function bashCompletion(program: CommandShape): string {
  const name = program.path.join(" ");
  const commands = [...allShapes(program)];
  const tables = commands.map(
    (each) =>
      `    "${each.path.join(" ")}") below="${each.subcommands.map(({ path }) => path.at(-1)).join(" ")}" flags="${flagsOf(each).join(" ")}" valued="${flagsOf(each, true).join(" ")}" words="${wordsOf(each)}" ;;`,
  );
  const values = commands.flatMap((each) =>
    fixedValues(each).map(({ flags, choices }) => {
      const patterns = flags.map((flag) => `"${each.path.join(" ")} ${flag}"`).join("|");
      return `    ${patterns}) printf '%s' "${choices.join(" ")}" ;;`;
    }),
  );
  return `# bash completion for ${name}(1)
_${name}_table() {
  case $1 in
${tables.join("\n")}
  esac
}
_${name}_values() {
  case $1 in
${values.join("\n")}
  esac
}
_${name}() {
  local below flags valued words command="${name}" word i
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  _${name}_table "$command"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ " $valued " == *" $word "* ]]; then
      ((i++))
    elif [[ " $below " == *" $word "* ]]; then
      command+=" $word"
      _${name}_table "$command"
    fi
  done
  # Readline takes --flag=value for three words.
  [[ $current == = ]] && current=
  [[ $before == = ]] && before=\${COMP_WORDS[COMP_CWORD-2]}
  if [[ " $valued " == *" $before "* ]]; then
    COMPREPLY=($(compgen -W "$(_${name}_values "$command $before")" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$below $words" -- "$current"))
  fi
}
complete -o default -F _${name} ${name}
`;
}

/** Files are what bash offers where nothing else fits. */
function wordsOf(command: CommandShape): string {
  return command.arguments.flatMap((each) => (isFile(each.name) ? [] : each.choices)).join(" ");
}
