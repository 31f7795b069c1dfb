#!/usr/bin/env bash
# Every measurement that needs a GPU, in one call; Python needs torch for CUDA, numpy, pandas and safetensors, no more:
#   SEQLAB_MIRROR=folder benchmarks/gpu.sh [PYTHON] [RESULTS]      the folder holds tiny_shakespeare.txt
# Each part has a limit in seconds; what it found is in RESULTS/gpu_{part}.json (benchmarks/results) as soon as it ends.
set -uo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=src PYTHONUNBUFFERED=1
python=${1:-python}
results=${2:-benchmarks/results}
mkdir -p "$results"
failed=0

part() { # NAME LIMIT COMMAND...
  local log status=0
  log=$(mktemp)
  timeout "$2" "${@:3}" 2>&1 | tee "$log" || status=1
  "$python" benchmarks/gpu_part.py --part "$1" --exit-code "$status" --log "$log" --json "$results/gpu_$1.json" || status=1
  rm -f "$log"
  failed=$((failed | status))
}

part tests 180 "$python" -m pytest tests/unit/test_cuda.py
part recurrence 240 "$python" benchmarks/recurrence.py --device cuda --precisions float32 tf32 bfloat16 --seconds 0.3
part time_to_quality 180 "$python" benchmarks/time_to_quality.py --device cuda --precision tf32
exit "$failed"
