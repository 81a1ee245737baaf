#!/usr/bin/env bash
# run.sh [BIN] [pytest options]: tests the Python package with the programs in BIN (default: build/bin) and the first Python
# that has what the tests need. Exit status 77: none has. Tests of a tracker that is not installed are skipped.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
QBITOPT_BIN=$(realpath "${1:-$root/build/bin}")
export QBITOPT_BIN PYTHONDONTWRITEBYTECODE=1

for python in "$root/.venv-peers/python/bin/python" "$root/.venv/bin/python" python3; do
  if "$python" -c 'import jinja2, pandas, pytest' 2>/dev/null; then
    cd "$root/python"
    exec "$python" -m pytest -q -rs "${@:2}"
  fi
done
echo "skipped: no Python here has pandas, jinja2 and pytest; \`make python-test\` makes an environment that has" >&2
exit 77
