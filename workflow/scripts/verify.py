"""Compare a finished experiment with its reference, row by row, or write the reference."""

import argparse
from collections import Counter
from pathlib import Path

from seqlab.io.errors import InputError, command
from seqlab.io.provenance import collect_provenance
from seqlab.io.runs import FORECAST, read_experiment
from seqlab.ledger import expected as references
from seqlab.ledger.expected import FAULT_VERDICTS, IDENTICAL


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--expected", type=Path, required=True, help="reference, a CSV file")
    parser.add_argument("--refresh", action="store_true", help="write the reference instead of comparing with it")
    arguments = parser.parse_args()
    here = {key: value for key, value in collect_provenance().items() if key != "commit"}
    runs = [run for run in read_experiment(arguments.experiment).runs if run.family != FORECAST]
    current = references.compose_reference(runs, here)
    if arguments.refresh:
        references.write_reference(arguments.expected, current)
        print(f"{arguments.expected} holds {len(current['rows'])} rows")
        return
    expected = references.read_reference(arguments.expected)
    verdicts = references.compare_references(expected, current)
    for name, verdict, figures in verdicts:
        if verdict != IDENTICAL:
            print(f"{verdict:16}  {name}  {figures}")
    for key in dict.fromkeys([*expected["fingerprint"], *here]):
        then, now = expected["fingerprint"].get(key, "nothing"), here.get(key, "nothing")
        if then != now:
            print(f"{key}: {then} expected, {now} now")
    counts = Counter(verdict for _, verdict, _ in verdicts)
    print(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    faults = [name for name, verdict, _ in verdicts if verdict in FAULT_VERDICTS]
    if faults:
        raise InputError(
            f"{len(faults)} rows differ from {arguments.expected}, the first is {faults[0]}; find the cause, or "
            "accept the results with `snakemake refresh_expected`"
        )


if __name__ == "__main__":
    main()
