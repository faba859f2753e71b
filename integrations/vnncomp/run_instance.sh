#!/bin/bash
# VNN-COMP: decides one instance and writes the verdict (and the witness) to RESULTS.
#   run_instance.sh v1 CATEGORY MODEL.onnx PROPERTY.vnnlib RESULTS TIMEOUT
# IBPC_VENV names the environment that install_tool.sh made, IBPC another command line.
set -uo pipefail
if [ "${1:-}" != "v1" ] || [ $# -ne 6 ]; then
    echo "usage: run_instance.sh v1 CATEGORY MODEL.onnx PROPERTY.vnnlib RESULTS TIMEOUT" >&2
    exit 1
fi
model=$3 property=$4 results=$5 timeout=$6
[ -r "$model" ] || model=$model.gz
[ -r "$property" ] || property=$property.gz
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
command=${IBPC:-${IBPC_VENV:-$root/.venv}/bin/ibpc}
$command verify "$model" "$property" --timeout "$timeout" >"$results"
code=$?
case $code in
    0 | 10 | 20) exit 0 ;;
esac
[ -s "$results" ] || echo error >"$results"
exit "$code"
