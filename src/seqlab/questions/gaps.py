"""Gaps: bits per answer against the number of symbols since the answer before.

A source may ask about its state (the field `answers` of `seqlab.text.sources.Source`). A model that tracks the state
pays the floor for an answer, one that does not pays chance, and one that tracks it for some time only pays more behind
longer gaps.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.runs import Run
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import read_ledger
from seqlab.questions.subject import Subject
from seqlab.sampling import Texts
from seqlab.text.known_source import read_second_text
from seqlab.text.sources import symbol_bits, symbol_ids
from seqlab.text.vocab import Vocab

TEST_TEXT, SECOND_TEXT = "test", "second text"
ALL_GAPS = 0, math.inf  # of the row with all answers of a text
GAP_BORDERS = (0, 1, 2, 3, *(2**power + 1 for power in range(2, 24)))  # 0, 1, 2, 3 to 4, 5 to 8, 9 to 16, ...


@dataclass(frozen=True)
class GapRow:
    """A row of gaps.csv: mean bits of a model and seed on the answers with gaps from `shortest` to `longest`.

    A gap is the number of symbols between an answer and the question after it; the first answer of a segment has none
    and is only in the row with all answers, from 0 to infinity. `seed` is empty for a model without seeds.
    """

    text: str
    family: str
    model: str
    seed: str
    shortest: int
    longest: float
    answers: int
    bits_per_answer: float


def answer(subject: Subject) -> Iterator[GapRow]:
    """Yield the rows of the source, the best n-gram on validation and every network of the subject.

    Each is scored on test and on the second text of the corpus, if there is one. Raises InputError where no run of the
    subject is a source with answers.
    """
    answers, source = find_answers(subject.runs), next((run for run in subject.runs if run.family == "source"), None)
    if source is None or not answers:
        raise InputError("no model of the experiment is a source with answers; ask for gaps on texts with questions")
    test, second = subject.segments["test"], read_second_segments(subject)
    ngrams = [best] if (best := subject.best("ngram")) else []
    for run in [source, *ngrams, *(run for run in subject.runs if run.family == "rnn")]:
        metrics, bits = read_ledger(run)
        seeds = list(dict.fromkeys(row["seed"] for row in metrics["scores"]))
        texts: dict[str, tuple[NDArray[Any], Texts]] = {TEST_TEXT: (bits["test"], test)}
        if second:
            texts[SECOND_TEXT] = score_second_text(subject, run, second), second
        for text, (costs, parts) in texts.items():
            for seed, replica in zip(seeds, costs, strict=True):
                for gap in tabulate_gaps(replica, parts, subject.vocab, answers):
                    yield GapRow(text, run.family, run.model, "" if seed is None else str(seed), *gap)


def read_second_segments(subject: Subject) -> list[NDArray[Any]]:
    """Return the second text of the corpus as one segment of indices; empty where it has none."""
    cards = [run.file("card.yaml") for run in subject.runs if run.family == "source"]
    texts = [second[1] for second in map(read_second_text, cards) if second is not None]
    return [subject.vocab.encode(list(text)) for text in texts]


def score_second_text(subject: Subject, run: Run, segments: Texts) -> NDArray[np.float64]:
    """Return the bits of `run` on the second text as `segments`, (replicas, symbols); of a source, those of the source
    that generates the second text.
    """
    if run.family != "source" or (second := read_second_text(run.file("card.yaml"))) is None:
        return subject.model(run).score(segments)
    return symbol_bits(second[0], symbol_ids(*second))[None, 1:]


def find_answers(runs: Iterable[Run]) -> str:
    """Return the characters that are answers of the source among `runs`; empty without one."""
    sources = (read_metrics(run.file("metrics.json")) for run in runs if run.family == "source")
    return next((metrics["answers"]["symbols"] for metrics in sources if "answers" in metrics), "")


def mark_answers(segments: Texts, vocab: Vocab, answers: str) -> NDArray[np.bool_]:
    """Return for every scored symbol of `segments`, all but the first of each, whether it is one of `answers`."""
    is_answer = np.array([token in list(answers) for token in vocab.tokens])
    return np.concatenate([is_answer[segment[1:]] for segment in segments])


def mark_splits(
    runs: Sequence[Run], segments: Mapping[str, Texts], vocab: Vocab, splits: Iterable[str]
) -> dict[str, NDArray[np.bool_]]:
    """Return `mark_answers` for each of `splits`; empty where no source among `runs` has answers."""
    answers = find_answers(runs)
    return {split: mark_answers(segments[split], vocab, answers) for split in splits} if answers else {}


def measure_gaps(segments: Texts, vocab: Vocab, answers: str) -> NDArray[np.int64]:
    """Return the gap of every answer among the scored symbols of `segments`, (answers,); -1 for the first of each
    segment.
    """
    gaps = []
    for segment in segments:
        places = np.flatnonzero(mark_answers([segment], vocab, answers))
        gaps.append(np.diff(places, prepend=places[:1] + 1) - 2)  # between two answers stands one question
        gaps[-1][:1] = -1
    return np.concatenate(gaps)


def tabulate_gaps(
    bits: NDArray[Any], segments: Texts, vocab: Vocab, answers: str
) -> Iterator[tuple[int, float, int, float]]:
    """Yield (shortest gap, longest gap, answers, bits per answer) of `bits`, (scored symbols,), of `segments`: first
    for all answers, then for each range of gaps that occurs.
    """
    costs = np.asarray(bits, dtype=np.float64)[mark_answers(segments, vocab, answers)]
    if len(costs):
        yield *ALL_GAPS, len(costs), float(costs.mean())
    gaps = measure_gaps(segments, vocab, answers)
    for shortest, following in pairwise(GAP_BORDERS):
        chosen = costs[(gaps >= shortest) & (gaps < following)]
        if len(chosen):
            yield shortest, following - 1, len(chosen), float(chosen.mean())
