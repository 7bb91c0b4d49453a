import type { Context } from "../../context/context.ts";

/** Prints the completion script of a shell. It calls `__complete`. */
export async function completion({ terminal }: Context, shell: "bash" | "zsh" | "fish"): Promise<void> {
  const script = SCRIPTS[shell];
  if (terminal.json) return terminal.printJson({ shell, script });
  terminal.print(script);
}

const BASH = `# cloudrun-oauth completion for bash: source <(cloudrun-oauth completion bash)
_cloudrun_oauth() {
  local words=() word glue= line value cur cut
  # bash ends words at = and : too.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ \${#words[@]} -gt 0 && ( -n $glue || $word == [=:]* ) ]]; then
      words[\${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    glue=
    [[ $word == [=:] || $word == :: ]] && glue=1
  done
  cur=\${words[\${#words[@]}-1]}
  cut=
  [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] && cut=\${cur%"\${cur##*:}"}
  [[ $COMP_WORDBREAKS == *=* && $cur == *=* && -z $cut ]] && cut=\${cur%"\${cur##*=}"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o filenames 2>/dev/null; while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "\${cur#"$cut"}") ;;
      :folders) compopt -o filenames 2>/dev/null; while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "\${cur#"$cut"}") ;;
      :programs) while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -c -- "$cur") ;;
      *) value=\${line%%$'\\t'*}; COMPREPLY+=("\${value#"$cut"}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _cloudrun_oauth cloudrun-oauth
`;

const ZSH = `#compdef cloudrun-oauth
# cloudrun-oauth completion for zsh: source <(cloudrun-oauth completion zsh), after compinit
_cloudrun_oauth() {
  local line value meaning
  local -a lines described
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      :files) _files ;;
      :folders) _files -/ ;;
      :programs) _command_names -e ;;
      *)
        value=\${line%%$'\\t'*}
        meaning=\${line#$value}
        described+=("\${value//:/\\\\:}:\${meaning#$'\\t'}")
        ;;
    esac
  done
  (( $#described )) && _describe -V 'cloudrun-oauth' described
}
if [[ $funcstack[1] == _cloudrun_oauth ]]; then
  _cloudrun_oauth "$@"
else
  compdef _cloudrun_oauth cloudrun-oauth
fi
`;

const FISH = `# cloudrun-oauth completion for fish: cloudrun-oauth completion fish | source
function __cloudrun_oauth_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path $current
            case :folders
                __fish_complete_directories $current ''
            case :programs
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete -c cloudrun-oauth -f -a '(__cloudrun_oauth_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };
