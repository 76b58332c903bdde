# What zsh makes of lines that end with a tab: completed.zsh FOLDER LINE... A line is run, and what runs prints its words.
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
read_until() {
  local all piece
  while [[ $all != *$1* ]]; do zpty -r shell piece || exit 1; all+=$piece; done
  REPLY=$all
}
zpty -w shell "PS1= PS2= ; unset zle_bracketed_paste; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D
  bindkey '^I' expand-or-complete; stillage() { print -r -- \"[[\$*]]\" }; print RE''ADY"
read_until READY
for line in ${@[2,-1]}; do
  zpty -n -w shell "$line"$'\t\n'
  read_until ']]'
  print -r -- ${${REPLY##*'[['}%%']]'*}
done
zpty -d shell
