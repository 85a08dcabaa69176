#!/usr/bin/env bash
# Writes the generated tables of docs/ anew from the code; --check only says whether they are as the code wants them.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh
need_rust
echo "no generated documents yet"
