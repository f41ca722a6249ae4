#!/usr/bin/env bash
# Train with several processes on this machine, or on one of several machines.
set -euo pipefail
source "$(dirname "$0")/_start.sh"

[ $# -ge 2 ] || usage 'tools/dist_train.sh CONFIG N [arguments of tools/train.py]' \
    "$TORCHRUN_USAGE"
with_torchrun "$2" train.py "$1" --launcher pytorch "${@:3}"
