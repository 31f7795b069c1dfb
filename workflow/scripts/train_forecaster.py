"""Train a forecasting network for every seed and forecast valid and test; an interrupted training is resumed."""

import argparse

from seqlab.io.errors import command
from seqlab.io.files import read_digest
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.machine.interruption import stop_on_signals
from seqlab.series.autoregression import Autoregression
from seqlab.series.run import train_forecaster
from seqlab.series.scoring import Scoring


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Scoring.add_arguments(parser)
    parser.add_argument("--code", required=True, help="digest of the code, whose change invalidates checkpoints")
    parser.add_argument(
        "--window", nargs="*", default=[], help="model.json of the autoregression whose window a perceptron uses"
    )
    add_device_arguments(parser)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    scoring = Scoring.begin(arguments, "cell", "layers", "hidden")
    train_forecaster(
        scoring,
        Autoregression.load(arguments.window[0]).order if arguments.window else 1,
        read_digest(arguments.folder / "card.yaml") + arguments.code,
        choose_device(arguments.device, arguments.jobs_per_gpu),
        stop_on_signals(),
    )


if __name__ == "__main__":
    main()
