#!/usr/bin/env bash
# Test with several processes on this machine, or on one of several machines.
set -euo pipefail
source "$(dirname "$0")/_start.sh"

[ $# -ge 3 ] || usage \
    'tools/dist_test.sh CONFIG CHECKPOINT N [arguments of tools/test.py]' \
    "$TORCHRUN_USAGE"
with_torchrun "$3" test.py "$1" "$2" --launcher pytorch "${@:4}"
