#!/usr/bin/env bash
# Every measurement that needs a GPU, in one call; Python needs torch for CUDA, numpy, pandas and safetensors, no more:
#   SEQLAB_MIRROR=folder benchmarks/gpu.sh [PYTHON]      the folder holds tiny_shakespeare.txt
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=src
python=${1:-python}
"$python" -m pytest -q tests/unit/test_cuda.py || echo "the tests on the GPU failed, or pytest is absent: read no figure below before that is settled"
"$python" benchmarks/recurrence.py --device cuda --precisions float32 tf32 bfloat16 --seconds 0.5
"$python" benchmarks/time_to_quality.py --device cuda --precision tf32
