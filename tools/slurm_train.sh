#!/usr/bin/env bash
# Train with several processes that slurm starts.
set -euo pipefail
source "$(dirname "$0")/_start.sh"

[ $# -ge 4 ] || usage 'tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR
  [arguments of tools/train.py]' "$SLURM_USAGE"
with_srun "$1" "$2" train.py "$3" --work-dir "$4" --launcher slurm "${@:5}"
