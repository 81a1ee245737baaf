#!/usr/bin/env bash
# A method from outside: qbitopt is installed, its build folder moved away, the template copied and renamed as README.md says,
# built with find_package(qbitopt), and run in a sweep beside a built-in method. Then one installed header changes.
#   consumer.sh SOURCE_FOLDER BUILD_FOLDER COMPILER [SANITIZERS]
set -euo pipefail
source=$1
build=$2
compiler=$3
flags=${4:+-fsanitize=$4}
work=$(mktemp -d)

# However this ends, the build folder is back in its place.
put_back() {
  [ ! -e "$build.away" ] || mv "$build.away" "$build"
  rm -rf "$work"
}
trap put_back EXIT
trap 'exit 1' INT TERM HUP
fail() { echo "FAILED: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/installed" >"$work/log" 2>&1 || { cat "$work/log"; fail "install"; }
mv "$build" "$build.away"
qbitopt=$work/installed/bin/qbitopt
for file in bash-completion/completions/qbitopt zsh/site-functions/_qbitopt fish/vendor_completions.d/qbitopt.fish man/man1/qbitopt.1; do
  [ -s "$work/installed/share/$file" ] || fail "share/$file is not installed"
done

cp -r "$source/src/baselines/template" "$work/shrink"
cd "$work/shrink"
for file in *template*; do mv "$file" "${file//template/shrink}"; done
sed -i 's/template/shrink/g' -- *
cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON -DCMAKE_PREFIX_PATH="$work/installed" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" >"$work/log" 2>&1 &&
  cmake --build build >>"$work/log" 2>&1 || { cat "$work/log"; fail "the outside project does not build"; }
[ "$(nm -D --defined-only build/shrink.so | wc -l)" = 1 ] || fail "the plugin exports more than its entry"

cat >sweep.yaml <<'YAML'
qbitopt: 1
name: outside
plugin: build/shrink.so
set:
  model: resnet8
  data: {name: synthetic, image_size: 8, train_images: 64, validation_images: 32, test_images: 32}
  pretraining: {steps: 4, batch_size: 16}
  training: {steps: 8, batch_size: 16, learning_rate: 0.01}
  calibration: {batches: 1, batch_size: 16}
  budget.average_bits: 3
cases:
  fixed:  {set: {method: fixed_precision}}
  shrink: {set: {method: shrink, shrink.until: 0.6}}
YAML
"$qbitopt" run sweep.yaml || fail "the sweep"
"$qbitopt" table outside | tee table.md
grep -q 'shrink.*met' table.md || fail "the method is not in the table"

# What is installed beside the program is found from any folder.
"$qbitopt" plan smoke >/dev/null || fail "an installed sweep by its name"
"$qbitopt" sql | grep gain-over-fixed || fail "an installed query by its name"
cat >recipe.yaml <<'YAML'
qbitopt: 1
name: recipe
extends: qbitopt/experiments/fashion_mnist/resnet8.yaml
set: {method: fixed_precision, budget.average_bits: 3}
YAML
"$qbitopt" plan recipe.yaml >/dev/null || fail "an installed recipe"

# Installed, it is found without being named; the sweep still takes the one that it names.
cmake --install build --prefix "$work/installed" >/dev/null
"$qbitopt" run sweep.yaml 2>&1 | grep '3 cached' || fail "the sweep after the installation"
"$qbitopt" methods | grep "shrink .*$work/installed/lib/qbitopt/baselines/shrink.so" || fail "the installed method is not found"

# One changed header is enough for a plugin to be of another qbitopt.
echo '// changed' >>"$work/installed/include/qbitopt/data/idx_file.h"
cmake --build build >"$work/log" 2>&1 || { cat "$work/log"; fail "the outside project does not build again"; }
rm "$work"/installed/lib/qbitopt/baselines/shrink.*
if "$qbitopt" run sweep.yaml --db other.db 2>errors.txt; then fail "a plugin of other headers was taken"; fi
cat errors.txt
grep -q 'it was built for another qbitopt' errors.txt || fail "the refusal does not say why"
