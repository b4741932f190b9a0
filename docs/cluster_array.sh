#!/usr/bin/env bash
# Run one line of a file of command lines: task N of a Slurm job array runs line N. docs/cluster.md says how to make one.
#
#   sbatch --array=1-12 --gres=gpu:1 --cpus-per-task=8 docs/cluster_array.sh LINES_FILE
#
#SBATCH --job-name=study
#SBATCH --output=%x_%A_%a.out
set -euo pipefail

lines=${1:?usage: cluster_array.sh LINES_FILE, with SLURM_ARRAY_TASK_ID set}
number=${SLURM_ARRAY_TASK_ID:?is not set; start this with sbatch --array}
command=$(sed -n "${number}p" "$lines")
if [[ -z $command ]]; then
    echo "error: $lines has no line $number" >&2
    exit 2
fi
if [[ -x .venv/bin/python ]]; then
    PATH="$PWD/.venv/bin:$PATH"
fi
echo "$command"
exec bash -c "$command"
