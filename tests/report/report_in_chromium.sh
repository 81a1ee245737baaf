#!/usr/bin/env bash
# report_in_chromium.sh MAKE_EXAMPLE QBITOPT PYTHON [SCREENSHOTS]: writes the report of a made-up database of 163 jobs
# and reads it in Chromium.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" "$folder/example.db" 10
"$2" report --db "$folder/example.db" --output "$folder/report.html"
"$3" "$(dirname "$0")/browser_test.py" "$folder/report.html" "$folder/example.db" ${4:+"$4"}
