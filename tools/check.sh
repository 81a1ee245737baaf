#!/usr/bin/env bash
# Checks what changed against the branch `main` (or BASE): the format, then clang-tidy on the sources (at most MOST of them, from
# all over the list; 10 to 40 s each). `make check` runs it. Its argument is a build folder in which each source has a command of its own (preset `alone`).
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
base=$(git merge-base HEAD "${BASE:-main}")

for tool in clang-format clang-tidy; do
  command -v $tool >/dev/null || { echo "check: $tool is missing (Debian: apt-get install $tool libomp-14-dev)" >&2; exit 1; }
done

mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- '*.h' '*.cpp'; git ls-files --others --exclude-standard '*.h' '*.cpp')
[ ${#changed[@]} -gt 0 ] || { echo "nothing changed against $base"; exit 0; }
clang-format --dry-run --Werror "${changed[@]}"
git diff --check "$base"

# A source that is not built here, such as a fuzzer, has no command.
sources=()
for file in "${changed[@]}"; do
  if grep -qF "\"file\": \"$PWD/$file\"" "$build/compile_commands.json"; then sources+=("$file"); fi
done
most=${MOST:-1000}
checked=()
for i in "${!sources[@]}"; do
  if [ $((i * most / ${#sources[@]})) -ge ${#checked[@]} ] && [ ${#checked[@]} -lt "$most" ]; then checked+=("${sources[$i]}"); fi
done
[ ${#checked[@]} -eq 0 ] ||
  printf '%s\0' "${checked[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p "$build" --quiet --warnings-as-errors='*'
echo "${#changed[@]} files checked, clang-tidy on ${#checked[@]} of ${#sources[@]} sources"
