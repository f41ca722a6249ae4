#!/usr/bin/env bash
# Train with several processes on this machine, or on one of several machines.
set -euo pipefail

if [ $# -lt 2 ]; then
    cat >&2 <<'USAGE'
usage: tools/dist_train.sh CONFIG N [arguments of tools/train.py]
  N: processes on this machine, one a GPU; without a GPU they run on the CPU.
environment, for several machines: NNODES=1, NODE_RANK=0, MASTER_ADDR=127.0.0.1,
  PORT=29500; on one machine PORT is by default a free one.
USAGE
    exit 2
fi
CONFIG=$1
N=$2
shift 2

here=$(dirname "$0")
if [ "${NNODES:-1}" -eq 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--standalone)
else
    meeting=(--nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}"
             --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="${PORT:-29500}")
fi
PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python}" \
    -m torch.distributed.run "${meeting[@]}" --nproc-per-node="$N" \
    "$here/train.py" "$CONFIG" --launcher pytorch "$@"
