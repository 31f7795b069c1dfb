"""Train a forecasting network, a perceptron or a latent autoregression, for every seed, and forecast test with them."""

import argparse
import time

from seqlab.forecast.autoregression import Autoregression
from seqlab.forecast.forecasters import load_forecaster
from seqlab.forecast.networks import Latent, Network, Perceptron
from seqlab.forecast.scoring import Scoring
from seqlab.forecast.settings import TrainingSettings
from seqlab.forecast.training import Fleet, train_fleet
from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.files import read_json
from seqlab.machine.devices import use_threads


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Scoring.add_arguments(parser)
    parser.add_argument("--window", nargs="*", default=[], help="the autoregression whose window a perceptron takes")
    parser.add_argument("--threads", type=count_argument, default=1)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    scoring = Scoring.begin(arguments, "cell", "layers", "hidden")
    card, prepared = scoring.card, scoring.prepared
    cell, layers, hidden = (card["settings"].pop(name) for name in ("cell", "layers", "hidden"))
    network: Network
    if arguments.window:
        network = Perceptron(Autoregression.load(arguments.window[0]).order, layers, hidden)
    else:
        network = Latent(cell, layers, hidden)
    fleet = Fleet.start(network, TrainingSettings.from_card(card["settings"]), card["seeds"])
    name = f"forecast/{card['series']} {card['model']}"
    began = time.perf_counter()
    train_fleet(
        fleet,
        prepared.scaled,
        prepared.learnt,
        prepared.splits["valid"],
        report=lambda line: print(f"{name}  {line}", flush=True),
    )
    fleet.write_results(arguments.folder, time.perf_counter() - began)
    scoring.record(load_forecaster(arguments.folder), read_json(arguments.folder / "training.json"))


if __name__ == "__main__":
    main()
