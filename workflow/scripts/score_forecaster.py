"""Forecast with every replica of a network from every origin of test."""

import argparse
from pathlib import Path

from seqlab.cards import read_card
from seqlab.devices import use_threads
from seqlab.errors import command
from seqlab.files import count_argument, json_argument, read_json
from seqlab.forecast.forecasters import load_forecaster
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
    parser.add_argument("--threads", type=count_argument, default=1)
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder, with weights and network")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    read_card(arguments.card, "forecast", table=arguments.table, description=arguments.description)
    prepared = read_prepared(arguments.table, arguments.description)
    model = load_forecaster(arguments.folder)
    training = read_json(arguments.folder / "training.json")
    scoring = arguments.scoring
    made = {
        "valid": forecast(model, prepared, prepared.origins("valid", 1), [1], 1),  # one step ahead is one Gaussian
        "test": forecast(model, prepared, prepared.origins("test", 1), scoring["horizons"], scoring["trajectories"]),
    }
    record(Path(arguments.card), prepared, made, model.seeds, arguments.folder, training)


if __name__ == "__main__":
    main()
