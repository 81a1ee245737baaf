#!/usr/bin/env bash
# report_in_chromium.sh MAKE_EXAMPLE QBITOPT PYTHON FAKE_WORKER [SCREENSHOTS]: writes the report of a made-up database of 499 jobs
# and reads it in Chromium; then watches a report while a sweep runs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tests=$(dirname "$0")
"$1" "$folder/example.db" 31
"$2" report --db "$folder/example.db" --output "$folder/report.html"
"$3" "$tests/browser_test.py" "$folder/report.html" "$folder/example.db" "$2" ${5:+"$5"}
"$3" "$tests/live_test.py" "$2" "$4"
