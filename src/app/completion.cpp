// qbitopt completion: the scripts with which shells complete the words of a command. All that they
// offer comes from `qbitopt complete`, asked through the program that is being typed.
#include "app/exit_codes.h"
#include "app/verbs.h"
#include "qbitopt/core/names.h"

namespace qbitopt::app {
namespace {

// Spaces follow a finished word, not `key=` nor a folder. Bash breaks words at = and :, and replaces
// only what follows.
constexpr const char* kBash = R"(# bash completion of qbitopt, from `qbitopt completion bash`
_qbitopt() {
  local -a lines=()
  local candidate current=${COMP_WORDS[COMP_CWORD]} breaks=${COMP_WORDBREAKS//[^=:]/}
  [[ $current == [=:] ]] && current=
  COMPREPLY=()
  mapfile -t lines < <("${COMP_WORDS[0]/#\~/$HOME}" complete ${breaks:+--breaks "$breaks"} \
    --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  [ ${#lines[@]} -gt 0 ] || return 0
  for candidate in "${lines[@]:1}"; do
    COMPREPLY+=("${candidate%%$'\t'*}")
  done
  if [ "${#COMPREPLY[@]}" -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
  if [ "${lines[0]}" = files ]; then
    compopt -o filenames
    local -a names=()
    mapfile -t names < <(compgen -f -- "$current")
    COMPREPLY+=("${names[@]}")
  fi
}
complete -F _qbitopt qbitopt
)";

constexpr const char* kZsh = R"(#compdef qbitopt
# zsh completion of qbitopt, from `qbitopt completion zsh`
_qbitopt() {
  local -a lines finished open
  local line word
  lines=("${(@f)$(${~words[1]} complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${(@)lines[2,-1]}"; do
    word=${line%%$'\t'*}
    word=${word//:/\\:}
    if [[ $word == *= ]]; then open+=("$word:${line#*$'\t'}"); else finished+=("$word:${line#*$'\t'}"); fi
  done
  (( $#finished )) && _describe -t words 'word' finished
  (( $#open )) && _describe -t keys 'key' open -S ''
  if [[ $lines[1] == files ]]; then
    [[ $PREFIX == *=* ]] && compset -P '*='
    _files
  fi
}
if [ "$funcstack[1]" = _qbitopt ]; then _qbitopt "$@"; else compdef _qbitopt qbitopt; fi
)";

constexpr const char* kFish = R"(# fish completion of qbitopt, from `qbitopt completion fish`
function __qbitopt_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l lines ($typed[1] complete -- $typed[2..-1] "$word" 2>/dev/null)
    test (count $lines) -gt 0; or return
    if test (count $lines) -gt 1
        printf '%s\n' $lines[2..-1]
    end
    if test $lines[1] = files
        __fish_complete_path "$word"
    end
end
complete -c qbitopt -f -k -a '(__qbitopt_complete)'
)";

}  // namespace

int completion(const Invocation& invocation) {
  CommandLine line("completion bash|zsh|fish",
                   "Prints a script that completes verbs, options, sweeps, jobs and keys.\n"
                   "`make install` puts it where shells look. Elsewhere:\n"
                   "  bash  source <(qbitopt completion bash)     in ~/.bashrc\n"
                   "  zsh   source <(qbitopt completion zsh)      in ~/.zshrc, after compinit\n"
                   "  fish  qbitopt completion fish >~/.config/fish/completions/qbitopt.fish");
  line.add_positional("shell", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("shell")) throw UsageError("completion needs a shell: bash, zsh or fish");
  const std::string shell = line.words("shell").front();
  if (shell == "bash") {
    invocation.console.print(kBash);
  } else if (shell == "zsh") {
    invocation.console.print(kZsh);
  } else if (shell == "fish") {
    invocation.console.print(kFish);
  } else {
    throw UsageError(unknown_name("shell", shell, {"bash", "zsh", "fish"}));
  }
  return kGood;
}

}  // namespace qbitopt::app
