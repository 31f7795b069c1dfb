"""Forecast with an autoregression from every origin of test."""

import argparse
from pathlib import Path

from seqlab.cards import read_card
from seqlab.errors import command
from seqlab.files import count_argument, json_argument, read_json
from seqlab.forecast.autoregression import Autoregression
from seqlab.forecast.record import forecast, record
from seqlab.forecast.splits import read_prepared


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "table", "description"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument(
        "--scoring",
        required=True,
        type=json_argument("horizons", "trajectories"),
        help="horizons and trajectories, as JSON",
    )
    parser.add_argument("--threads", type=count_argument, default=1, help="not used: the products are small")
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder, with the model")
    arguments = parser.parse_args()
    read_card(arguments.card, "forecast", table=arguments.table, description=arguments.description)
    prepared = read_prepared(arguments.table, arguments.description)
    model = Autoregression.load(arguments.folder / "model.json")
    training = read_json(arguments.folder / "training.json")
    scoring = arguments.scoring
    made = {
        "valid": forecast(model, prepared, prepared.origins("valid", 1), [1], 1),  # one step ahead is one Gaussian
        "test": forecast(model, prepared, prepared.origins("test", 1), scoring["horizons"], scoring["trajectories"]),
    }
    record(Path(arguments.card), prepared, made, model.seeds, arguments.folder, training, order=model.order)


if __name__ == "__main__":
    main()
