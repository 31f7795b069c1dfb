"""Hold a finished experiment against its reference, row by row, or make it the reference."""

import argparse
from collections import Counter
from pathlib import Path

from seqlab.io.errors import InputError, command
from seqlab.io.provenance import provenance
from seqlab.io.runs import FORECAST, read_experiment
from seqlab.ledger.expected import FAULTS, IDENTICAL, compare_with, read_reference, reference, write_reference


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--expected", type=Path, required=True, help="the reference, a csv file")
    parser.add_argument("--refresh", action="store_true", help="write the reference instead of comparing with it")
    arguments = parser.parse_args()
    here = {key: value for key, value in provenance().items() if key != "commit"}
    runs = [run for run in read_experiment(arguments.experiment).runs if run.family != FORECAST]
    found = reference(runs, here)
    if arguments.refresh:
        write_reference(arguments.expected, found)
        print(f"{arguments.expected} holds {len(found['rows'])} rows")
        return
    expected = read_reference(arguments.expected)
    verdicts = compare_with(expected, found)
    for name, verdict, figures in verdicts:
        if verdict != IDENTICAL:
            print(f"{verdict:16}  {name}  {figures}")
    for key in dict.fromkeys([*expected["fingerprint"], *here]):
        then, now = expected["fingerprint"].get(key, "nothing"), here.get(key, "nothing")
        if then != now:
            print(f"{key}: {then} then, {now} now")
    counts = Counter(verdict for _, verdict, _ in verdicts)
    print(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    faults = [name for name, verdict, _ in verdicts if verdict in FAULTS]
    if faults:
        raise InputError(
            f"{len(faults)} rows are not those of {arguments.expected}, the first {faults[0]}; find the cause, or "
            "accept them with `snakemake refresh_expected`"
        )


if __name__ == "__main__":
    main()
