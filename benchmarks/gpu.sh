#!/usr/bin/env bash
# All measurements that need a GPU, in one call of at most 9 minutes, the most important ones first:
#   SEQLAB_MIRROR=folder benchmarks/gpu.sh [PYTHON] [RESULTS] [PART...]
# The folder holds time_machine.txt and tiny_shakespeare.txt, and war_and_peace.txt for the last part. Python needs torch
# for CUDA, Triton, numpy, pandas, safetensors, pyyaml, jsonschema and pytest only. Each part has a limit in seconds;
# its result is written to RESULTS/gpu_{part}.json (benchmarks/results) at its end. The last part continues where an
# earlier call ended. SEQLAB_DEVICE=cpu tests all parts with little data.
set -uo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=src PYTHONUNBUFFERED=1
python=${1:-python}
results=${2:-benchmarks/results}
parts=${*:3}
parts=${parts:-tests recurrence sweep joined time_to_quality published_cells}
device=${SEQLAB_DEVICE:-cuda}
mkdir -p "$results"
failed=0

part() { # NAME LIMIT COMMAND...
  local log status=0
  [[ " $parts " == *" $1 "* ]] || return 0
  log=$(mktemp)
  timeout "$2" "${@:3}" 2>&1 | tee "$log" || status=1
  "$python" benchmarks/gpu_part.py --part "$1" --exit-code "$status" --log "$log" --json "$results/gpu_$1.json" || status=1
  rm -f "$log"
  failed=$((failed | status))
}

if [[ $device == cpu ]]; then
  recurrence=(--hidden 8 --replicas 1 2 --seconds 0.01)
  sweep=(--hidden 8 --layers 1 --seeds 1 --epochs 1)
  joined=(--cells gru --hidden 8 --seeds 1)
  quality=(--share 0.002)
  cells=(--configuration config/published/karpathy2015.yaml --seeds 1 --epochs 1 --seconds 60)
else
  recurrence=(--precisions float32 tf32 --seconds 0.05)
  sweep=(--epochs 3)
  joined=(--epochs 2)
  quality=()
  cells=(--seconds 105)
fi
part tests 120 "$python" -m pytest tests/unit/fleet/test_cuda.py
part recurrence 80 "$python" benchmarks/recurrence.py --device "$device" "${recurrence[@]}"
part sweep 120 "$python" benchmarks/sweep.py --device "$device" "${sweep[@]}"
part joined 60 "$python" benchmarks/joined.py --device "$device" "${joined[@]}"
part time_to_quality 60 "$python" benchmarks/time_to_quality.py --device "$device" "${quality[@]}"
part published_cells 120 "$python" benchmarks/published_cells.py --device "$device" --folder "$results/gpu_cells" "${cells[@]}"
exit "$failed"
