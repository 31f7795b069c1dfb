"""Write the report, one HTML file, about finished experiments."""

import argparse
from pathlib import Path

from seqlab.errors import InputError, command
from seqlab.report.page import write_report


def experiment(text: str) -> tuple[str, str]:
    """Corpus and unit of a text such as time_machine/char; InputError where it is neither."""
    corpus, slash, unit = text.partition("/")
    if not (corpus and slash and unit) or "/" in unit:
        raise InputError(f"--experiment {text!r} is not of the form corpus/unit; write it like time_machine/char")
    return corpus, unit


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="the folder of all results")
    parser.add_argument("--experiment", nargs="*", default=[], metavar="CORPUS/UNIT", help="texts, if any")
    parser.add_argument("--forecast", nargs="*", default=[], metavar="SERIES", help="series that were forecast, if any")
    parser.add_argument("--output", type=Path, required=True, help="the report, an html file")
    arguments = parser.parse_args()
    experiments = [experiment(text) for text in arguments.experiment]
    from seqlab.provenance import provenance  # looks at the machine, so only when the arguments are good

    write_report(arguments.results, experiments, provenance(), arguments.output, arguments.forecast)


if __name__ == "__main__":
    main()
