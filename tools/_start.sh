# Functions of the launch scripts, which source this file.
here=$(dirname "${BASH_SOURCE[0]}")
export PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}"
PYTHON=${PYTHON:-python}

TORCHRUN_USAGE='  N: processes on this machine, one a GPU; without a GPU they run on the CPU.
environment, for several machines: NNODES=1, NODE_RANK=0, MASTER_ADDR=127.0.0.1,
  PORT=29500; on one machine PORT is by default a free one.'
SLURM_USAGE='environment: GPUS=8 processes, GPUS_PER_NODE=8 of them on a node, CPUS_PER_TASK=5,
  SRUN_ARGS="more arguments of srun", MASTER_PORT=29500.
  CPU_ONLY=1 asks for no GPUs: the same numbers then count processes.'

usage() {
    printf '%s\n' "usage: $1" "$2" >&2
    exit 2
}

# N, script, its arguments
with_torchrun() {
    local processes=$1 script=$2 meeting
    shift 2
    if [ "${NNODES:-1}" -eq 1 ] && [ -z "${PORT:-}" ]; then
        meeting=(--standalone)
    else
        meeting=(--nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}"
                 --master-addr="${MASTER_ADDR:-127.0.0.1}"
                 --master-port="${PORT:-29500}")
    fi
    exec "$PYTHON" -m torch.distributed.run "${meeting[@]}" \
        --nproc-per-node="$processes" "$here/$script" "$@"
}

# partition, name of the job, script, its arguments
with_srun() {
    local partition=$1 name=$2 script=$3 per_node=${GPUS_PER_NODE:-8}
    shift 3
    local gres=(--gres="gpu:$per_node")
    if [ -n "${CPU_ONLY:-}" ]; then
        gres=()
    fi
    # if one process dies, srun ends the others, which would wait for it
    # shellcheck disable=SC2086
    exec srun --partition="$partition" --job-name="$name" ${gres[@]+"${gres[@]}"} \
        --ntasks="${GPUS:-8}" --ntasks-per-node="$per_node" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
        "$PYTHON" -u "$here/$script" "$@"
}
