"""Draw one figure of a corpus and unit."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import SERIES, read_experiment
from seqlab.report.contents import figure_named, files_of, place_of
from seqlab.report.drawing import draw_figure
from seqlab.report.style import save


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--figure", required=True, help="a name in seqlab.report.contents")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    experiment = read_experiment(arguments.experiment)
    place = place_of(experiment, arguments.corpus, arguments.unit)
    figure = figure_named(place, arguments.figure)
    files = files_of(figure, place, experiment.runs, experiment.prepared[place])
    save(draw_figure(figure, files, place.unit == SERIES), arguments.output)


if __name__ == "__main__":
    main()
