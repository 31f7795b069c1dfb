"""Forecast with an autoregression from every origin of test."""

from seqlab.errors import command
from seqlab.forecast.autoregression import Autoregression
from seqlab.forecast.scoring import Scoring


@command
def main() -> None:
    scoring = Scoring.from_command_line(__doc__)
    model = Autoregression.load(scoring.folder / "model.json")
    scoring.record(model, order=model.order)


if __name__ == "__main__":
    main()
