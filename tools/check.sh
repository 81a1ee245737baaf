#!/usr/bin/env bash
# Checks what changed against the branch `main` (or BASE): the format, then clang-tidy. `make check` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
base=$(git merge-base HEAD "${BASE:-main}")

for tool in clang-format clang-tidy; do
  command -v $tool >/dev/null || { echo "check: $tool is missing (Debian: apt-get install $tool)" >&2; exit 1; }
done

mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- '*.h' '*.cpp'; git ls-files --others --exclude-standard '*.h' '*.cpp')
[ ${#changed[@]} -gt 0 ] || { echo "nothing changed against $base"; exit 0; }
clang-format --dry-run --Werror "${changed[@]}"
git diff --check "$base"

mapfile -t sources < <(printf '%s\n' "${changed[@]}" | grep '\.cpp$' || true)
[ ${#sources[@]} -eq 0 ] || clang-tidy -p "$build" --quiet --warnings-as-errors='*' "${sources[@]}"
echo "${#changed[@]} files checked"
