"""Runs and text that a question is about."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.runs import Run, add_place_arguments, select_runs
from seqlab.language_model import open_model
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.selection import choose_best, standing_of
from seqlab.sampling import Foresight, Positions, SymbolModel, Texts
from seqlab.text.known_source import KnownSource, read_known_source
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@dataclass(frozen=True)
class Subject:
    """Runs on one corpus and unit, and its splits as segments of indices of `vocab`.

    Networks run on `device`; a GPU is shared by at most `jobs_per_gpu` jobs.
    """

    runs: list[Run]
    segments: dict[str, list[NDArray[Any]]]
    vocab: Vocab
    device: str = "auto"
    jobs_per_gpu: int = 1

    @classmethod
    def read(cls, arguments: Namespace, families: Sequence[str] | None = None) -> "Subject":
        """Return the subject of the arguments of `add_subject_arguments`, with the runs of some families or of all."""
        runs, segments = select_runs(arguments, families), read_segments(arguments.ids, arguments.splits)
        device = {name: value for name, value in vars(arguments).items() if name in ("device", "jobs_per_gpu")}
        return cls(runs, segments, Vocab.load(arguments.vocab), **device)

    def of_family(self, family: str) -> list[tuple[dict[str, Any], Run]]:
        """Return the runs of `family` with their metrics."""
        return [(read_metrics(run.file("metrics.json")), run) for run in self.runs if run.family == family]

    def best(self, family: str) -> Run | None:
        """Return the best run of `family` on validation; None where none has a finite perplexity."""
        best = choose_best(self.of_family(family), lambda pair: standing_of(pair[0]))
        return best and best[1]

    def model(self, run: Run) -> SymbolModel:
        """Return the n-gram or network of `run`, networks on the device; InputError where a file is damaged."""
        return open_model(run.folder, self._choose_device)

    def foresight(self, run: Run) -> Foresight:
        """Return the model of `run`, or the source that generated the text."""
        if run.family == "source":
            return KnownSource(read_known_source(run.file("card.yaml")), self.vocab)
        return self.model(run)

    def _choose_device(self) -> Any:
        from seqlab.machine.devices import choose_device  # loads torch, which n-grams do not need

        return choose_device(self.device, self.jobs_per_gpu)


def add_subject_arguments(parser: ArgumentParser) -> None:
    """Add to `parser` the arguments of a program that answers a question, for `Subject.read`."""
    add_place_arguments(parser)
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")


def select_lengths(lengths: Sequence[int], texts: Texts) -> list[int]:
    """Return in rising order those of `lengths` that are shorter than the longest text; 1 if none is."""
    return [length for length in sorted(lengths) if length < max(map(len, texts))] or [1]


def choose_positions(segments: Texts, longest: int, number: int) -> Positions:
    """Return at most `number` positions, evenly spaced, with at least `longest` symbols before them in their segment.

    They are the same for every context, so that their bits can be compared.
    """
    possible = [(number, place) for number, segment in enumerate(segments) for place in range(longest, len(segment))]
    chosen = np.unique(np.linspace(0, len(possible) - 1, min(number, len(possible))).round().astype(int))
    return [possible[place] for place in chosen]


def find_in_ledger(segments: Texts, positions: Positions) -> NDArray[np.int64]:
    """Return the indices, (positions,), of the symbols at `positions` in the ledger of a split."""
    starts = np.concatenate([[0], np.cumsum([len(segment) - 1 for segment in segments])])
    return np.array([starts[number] + place - 1 for number, place in positions], dtype=np.int64)
