#!/bin/bash
# VNN-COMP: nothing is prepared; says whether the instance's files are there. Not timed.
#   prepare_instance.sh v1 CATEGORY MODEL.onnx PROPERTY.vnnlib
set -euo pipefail
if [ "${1:-}" != "v1" ] || [ $# -ne 4 ]; then
    echo "usage: prepare_instance.sh v1 CATEGORY MODEL.onnx PROPERTY.vnnlib" >&2
    exit 1
fi
for file in "$3" "$4"; do
    if [ ! -r "$file" ] && [ ! -r "$file.gz" ]; then
        echo "prepare_instance.sh: there is no file $file" >&2
        exit 1
    fi
done
