"""Train a network that forecasts, a perceptron or a latent autoregression, for every seed of its card, all at once."""

import argparse
import time
from pathlib import Path

from seqlab.cards import read_card
from seqlab.devices import use_threads
from seqlab.errors import command
from seqlab.files import count_argument
from seqlab.forecast.autoregression import Autoregression
from seqlab.forecast.networks import Latent, Network, Perceptron
from seqlab.forecast.settings import TrainingSettings
from seqlab.forecast.splits import read_prepared
from seqlab.forecast.training import Fleet, train_fleet


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "table", "description"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--window", nargs="*", default=[], help="the autoregression whose window a perceptron takes")
    parser.add_argument("--threads", type=count_argument, default=1)
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder: weights, history, training")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    card = read_card(arguments.card, "forecast", table=arguments.table, description=arguments.description)
    prepared = read_prepared(arguments.table, arguments.description)
    cell, layers, hidden = (card["settings"].pop(name) for name in ("cell", "layers", "hidden"))
    network: Network
    if arguments.window:
        network = Perceptron(Autoregression.load(arguments.window[0]).order, layers, hidden)
    else:
        network = Latent(cell, layers, hidden)
    fleet = Fleet.start(network, TrainingSettings(**card["settings"]), card["seeds"])
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


if __name__ == "__main__":
    main()
