"""Forecast with every replica of a network from every origin of test."""

from seqlab.devices import use_threads
from seqlab.errors import command
from seqlab.forecast.forecasters import load_forecaster
from seqlab.forecast.scoring import Scoring


@command
def main() -> None:
    scoring = Scoring.from_command_line(__doc__)
    use_threads(scoring.threads)
    scoring.record(load_forecaster(scoring.folder))


if __name__ == "__main__":
    main()
