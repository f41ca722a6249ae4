#!/usr/bin/env bash
# Test with several processes that slurm starts.
set -euo pipefail
source "$(dirname "$0")/_start.sh"

[ $# -ge 4 ] || usage 'tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT
  [arguments of tools/test.py]' "$SLURM_USAGE"
with_srun "$1" "$2" test.py "$3" "$4" --launcher slurm "${@:5}"
