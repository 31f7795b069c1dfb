"""Draw one figure of a corpus and unit."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import SERIES, read_experiment
from seqlab.report.contents import find_figure, find_place, list_figure_files
from seqlab.report.drawing import draw_figure
from seqlab.report.style import save_figure


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--figure", required=True, help="name of the figure in seqlab.report.contents")
    parser.add_argument("--output", type=Path, required=True, help="SVG file to write")
    arguments = parser.parse_args()
    experiment = read_experiment(arguments.experiment)
    place = find_place(experiment, arguments.corpus, arguments.unit)
    figure = find_figure(place, arguments.figure, experiment.answers)
    files = list_figure_files(figure, place, experiment.runs, experiment.prepared[place])
    save_figure(draw_figure(figure, files, place.unit == SERIES), arguments.output)


if __name__ == "__main__":
    main()
