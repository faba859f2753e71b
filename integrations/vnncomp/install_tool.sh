#!/bin/bash
# VNN-COMP: installs ibpc into a virtual environment beside the repository's folder.
#   install_tool.sh v1
# IBPC_VENV names another place, IBPC_PYTHON another interpreter (3.11 or later).
set -euo pipefail
if [ "${1:-}" != "v1" ]; then
    echo "install_tool.sh: expected the version string v1, found '${1:-}'" >&2
    exit 1
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=${IBPC_VENV:-$root/.venv}
"${IBPC_PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install --quiet "$root"
"$venv/bin/ibpc" --version
