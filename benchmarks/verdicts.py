"""False positives and power of verdicts, on simulated ledgers of two models.

    python benchmarks/verdicts.py [--ledgers 1000] [--symbols 8000]

The bits of the two models differ by noise, of which a share carries over from symbol to symbol, and by a constant for
each seed. `false_positives` is the share of pairs of equal models with a verdict of different at 5 %; `power` is this
share for pairs whose difference should be detected with a power of 80 %, by the formula of the pipeline with the true
variances. The last line is JSON.
"""

import argparse
import json
import math

import numpy as np
from ngram import machine
from scipy.signal import lfilter

from seqlab.io.errors import command
from seqlab.ledger.statistics import compare_bits, detect_difference

CASES = ((0.0, 1, 0.0), (0.3, 1, 0.0), (0.7, 1, 0.0), (0.3, 3, 0.02), (0.3, 5, 0.02), (0.3, 3, 0.1))


def ledgers(random: np.random.Generator, symbols: int, share: float, seeds: int, spread: float) -> list[np.ndarray]:
    """Bits of two models with the same mean, each (seeds, symbols)."""
    noise = lfilter([1], [1, -share], random.standard_normal(symbols + 200))[200:]
    shared = 2 + random.standard_normal(symbols)  # what both find hard
    return [shared + part + spread * random.standard_normal((seeds, 1)) for part in (noise, 0)]


def apart_enough(symbols: int, share: float, seeds: int, spread: float) -> float:
    """Return the difference that is detected with a power of 80 %, for texts long enough to know their variance."""
    text, seed = 1 / (1 - share) ** 2 / symbols, spread**2 / seeds
    freedom = (text + 2 * seed) ** 2 / (2 * seed**2 / (seeds - 1)) if seed else math.inf
    return detect_difference(math.sqrt(text + 2 * seed), freedom)


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ledgers", type=int, default=1000)
    parser.add_argument("--symbols", type=int, default=8000)
    arguments = parser.parse_args()
    random = np.random.default_rng(1)
    print(f"{arguments.ledgers:,} pairs of ledgers of {arguments.symbols:,} symbols for each row; {machine()}")
    columns = ["goes on", "seeds", "spread of seeds", "false positives", "power", "mean block"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    rows = []
    for share, seeds, spread in CASES:
        apart = apart_enough(arguments.symbols, share, seeds, spread)
        pairs = [ledgers(random, arguments.symbols, share, seeds, spread) for _ in range(arguments.ledgers)]
        equal = [compare_bits(first, second) for first, second in pairs]
        different = [compare_bits(first + apart, second) for first, second in pairs]
        wrong, power = (float(np.mean([comparison.p < 0.05 for comparison in judged])) for judged in (equal, different))
        block = float(np.mean([one.block for one in equal]))
        print(f"| {share} | {seeds} | {spread} | {wrong:.1%} | {power:.0%} | {block:.0f} |", flush=True)
        rows.append({"share": share, "seeds": seeds, "spread": spread, "false_positives": wrong, "power": power})
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
