#!/usr/bin/env bash
# Train with several processes that slurm starts.
set -euo pipefail

if [ $# -lt 4 ]; then
    cat >&2 <<'USAGE'
usage: tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR
  [arguments of tools/train.py]
environment: GPUS=8 processes, GPUS_PER_NODE=8 of them on a node, CPUS_PER_TASK=5,
  SRUN_ARGS="more arguments of srun", MASTER_PORT=29500.
  CPU_ONLY=1 asks for no GPUs: the same numbers then count processes.
USAGE
    exit 2
fi
PARTITION=$1
JOB_NAME=$2
CONFIG=$3
WORK_DIR=$4
shift 4

here=$(dirname "$0")
per_node=${GPUS_PER_NODE:-8}
gres=(--gres="gpu:$per_node")
if [ -n "${CPU_ONLY:-}" ]; then
    gres=()
fi
# one process that dies ends the others, which would wait for it
# shellcheck disable=SC2086
PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}" exec srun \
    --partition="$PARTITION" --job-name="$JOB_NAME" ${gres[@]+"${gres[@]}"} \
    --ntasks="${GPUS:-8}" --ntasks-per-node="$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$here/train.py" "$CONFIG" --work-dir "$WORK_DIR" \
    --launcher slurm "$@"
