"""Audit the best model of every family and every external model of a corpus and unit; print broken laws."""

import argparse
from pathlib import Path

from seqlab.audit.experiment import AuditRow, answer, describe_audit
from seqlab.audit.external import add_limit_arguments, read_limits
from seqlab.io.errors import command
from seqlab.io.runs import add_place_arguments, select_runs
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    parser.add_argument("--families", nargs="+", required=True, help="families of models")
    add_device_arguments(parser)
    add_limit_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    device = choose_device(arguments.device, arguments.jobs_per_gpu)
    rows = list(answer(select_runs(arguments), arguments.families, read_limits(arguments), device))
    write_table(arguments.output, tabulate_rows(AuditRow, rows))
    warning = "warning: " if any(row.is_broken for row in rows) else ""
    print(f"{warning}{arguments.corpus} by {arguments.unit}: {describe_audit(rows)}")


if __name__ == "__main__":
    main()
