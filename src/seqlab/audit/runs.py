"""Subjects of an audit: runs with the facts among their results, and models in ARPA files."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.audit.candidate import DOUBLE, PRINTED, SINGLE, Candidate, MixtureCandidate, ModelCandidate, Precision
from seqlab.audit.external import ABSENT, match_vocabulary, open_external, translate_segments
from seqlab.audit.foreign import USUAL_LIMITS, Limits
from seqlab.audit.subject import Subject
from seqlab.configuration import EXTERNAL_FAMILY
from seqlab.io.cards import read_card
from seqlab.io.errors import InputError, quote
from seqlab.io.runs import Place, Run, find_experiment
from seqlab.language_model import LanguageModel
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import read_ledger
from seqlab.ngram.arpa import read_arpa
from seqlab.ngram.arpa_names import LINE_END, LINE_START
from seqlab.text.reading import read_clean
from seqlab.text.splits import FILES_KIND, SEPARATOR, read_segments, read_splits
from seqlab.text.tokens import BYTE_UNITS, to_bytes
from seqlab.text.vocab import UNKNOWN, Vocab

DIVISOR_OF = {"bits_per_char": "characters", "bits_per_byte": "bytes", "bits_per_word": "words"}
Seeds = list[tuple[int | None, Subject]]  # every seed of a model, None without seeds, as a subject


@contextmanager
def open_run(folder: Path, device: Any = "cpu", limits: Limits = USUAL_LIMITS) -> Iterator[Seeds]:
    """Yield the seeds of the run in `folder`, with the test split of its corpus and all facts.

    The process of an external model has `limits` and ends with the block. Raise InputError where the folder is not that
    of a run with a model.
    """
    experiment = find_experiment(folder)
    if experiment is None or not (folder / "metrics.json").exists():
        raise InputError(f"{folder} is not the folder of a finished run; give a text with --text, or correct the path")
    metrics = read_metrics(folder / "metrics.json")
    place = Place(experiment.folder, metrics["corpus"], metrics["unit"])
    run, prepared = Run(*place, metrics["family"], metrics["model"]), experiment.prepared.get(place)
    runs = experiment.select(place.corpus, place.unit)
    if prepared is None or run not in runs:
        raise InputError(f"{folder} is no longer a run of its experiment; run the workflow again")
    vocab = Vocab.load(f"{prepared}/vocab.json")
    segments = read_segments(f"{prepared}/ids.npy", f"{prepared}/splits.json")
    with _open_candidates(run, metrics, runs, vocab, device, limits) as candidates:
        first = next(iter(candidates.values()))
        indices = match_vocabulary(first.symbols(), vocab.tokens, run.model)
        test = translate_segments(segments["test"], indices, run.model, "test")
        train = np.concatenate(segments["train"])
        known = indices[train]
        subject = Subject(
            first,
            test[0],
            _find_precision(run, metrics),
            train=known[known != ABSENT],
            parts=frozenset(indices[list(_find_parts(vocab, train))].tolist()),
            scored_texts=_read_scored_texts(Path(prepared), vocab, segments["test"]),
            floor_bits=next((read_ledger(other)[1]["test"] for other in runs if other.family == "source"), None),
            compressor_bits=min((_test_bits(other) for other in runs if other.family == "compressor"), default=None),
        )
        subjects: Seeds = []
        for (seed, candidate), bits in zip(candidates.items(), read_ledger(run)[1]["test"], strict=True):
            divisors, ledger = _read_divisors(metrics, seed), bits[: len(test[0]) - 1]
            facts = {"ledger": ledger, "test_bits": bits, "divisors": divisors}
            subjects.append((seed, replace(subject, candidate=candidate, **facts)))
        yield subjects


@contextmanager
def _open_candidates(
    run: Run, metrics: dict[str, Any], runs: Sequence[Run], vocab: Vocab, device: Any, limits: Limits
) -> Iterator[dict[int | None, Candidate]]:
    """Yield the model of each seed of `run`, None without seeds; `runs` are those that a mixture may have as parts."""
    if run.family == EXTERNAL_FAMILY:
        with open_external(metrics["settings"], limits) as candidate:
            yield {None: candidate}
    elif metrics.get("weights"):
        yield {None: _read_mixture(metrics["weights"], runs, vocab, device)}
    else:
        yield dict(list_replicas(LanguageModel.load(run.folder, device)))


def _find_precision(run: Run, metrics: dict[str, Any]) -> Precision:
    if run.family != EXTERNAL_FAMILY:
        return DOUBLE
    return PRINTED if "arpa" in metrics["settings"] else SINGLE


def read_model(folder: Path, text: str, device: Any = "cpu") -> Seeds:
    """Return the seeds of the model in `folder` with a text of its own; InputError as `LanguageModel.load` and
    `encoded`.
    """
    loaded = LanguageModel.load(folder, device)
    tokens, ids = loaded.encoded(text, 2)
    counts = loaded.counts(tokens, ids)
    divisors = {name: counts[name] for name in DIVISOR_OF.values()}
    scored_texts = cut_scored_texts(text, loaded.vocab.unit, [[0, len(ids)]])
    return [
        (seed, Subject(candidate, ids, divisors=divisors, scored_texts=scored_texts))
        for seed, candidate in list_replicas(loaded)
    ]


def list_replicas(loaded: LanguageModel) -> list[tuple[int | None, ModelCandidate]]:
    """Return every seed of a model, None without seeds, and its replica."""
    model = loaded.model
    return [
        (seed, ModelCandidate(loaded.vocab.tokens, model.select_replica(number)))
        for number, seed in enumerate(model.seeds)
    ]


def read_arpa_model(path: Path, text: str) -> Subject:
    """Return the n-gram model of an ARPA file with a text; InputError where either is unusable."""
    model, names, _ = read_arpa(path)
    return Subject(ModelCandidate(names, model), encode_text(text, names), PRINTED)


def read_foreign(model: Candidate, methods: Mapping[str, Callable[[str], Any]], text: str) -> Subject:
    """Return a model of another program with a text; `methods` are its own of a text, as in `open_foreign_model`.

    Raise InputError where its sizes name no known one, and as `encode_text`.
    """
    ids = (
        np.array(methods["encode"](text), dtype=np.int64) if "encode" in methods else encode_text(text, model.symbols())
    )
    if "sizes" not in methods:
        return Subject(model, ids, SINGLE)
    sizes = methods["sizes"](text)
    if not sizes or not set(sizes) <= set(DIVISOR_OF.values()):
        raise InputError(f"sizes returns the names {quote(list(sizes))}; use some of {', '.join(DIVISOR_OF.values())}")
    return Subject(model, ids, SINGLE, divisors=sizes, scored_texts=[text])


def encode_text(text: str, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the indices of a text, (symbols,): of its characters where every name is one, else of its words.

    Raise InputError for an unknown symbol of a vocabulary without <unk>.
    """
    index = {name: number for number, name in reversed(list(enumerate(names)))}
    is_char = all(len(name) == 1 for name in names if name not in (UNKNOWN, LINE_START, LINE_END))
    tokens = list(text) if is_char else text.split()
    unknown = next((token for token in tokens if token not in index), None)
    if unknown is not None and UNKNOWN not in index:
        raise InputError(f"the text has the symbol {quote(unknown)}, which the model lacks, and it has no {UNKNOWN}")
    return np.array([index.get(token, index.get(UNKNOWN, 0)) for token in tokens], dtype=np.int64)


def cut_scored_texts(text: str, unit: str, ranges: Sequence[Sequence[int]]) -> list[str]:
    """Return the scored text of every range of symbols of a unit but bpe: without its first symbol; bytes outside UTF-8
    are halves of surrogate pairs.
    """
    if unit == "word":
        words = text.split()
        return ["".join(f" {word}" for word in words[start + 1 : stop]) for start, stop in ranges]
    if unit == "byte":
        data = text.encode("utf-8")
        return [data[start + 1 : stop].decode("utf-8", "surrogateescape") for start, stop in ranges]
    return [text[start + 1 : stop] for start, stop in ranges]


def name_seed(model: str, seed: int | None) -> str:
    """Return the name of a seed of `model`, as in the weights of a mixture."""
    return model if seed is None else f"{model} seed {seed}"


def _read_mixture(weights: dict[str, float], runs: Sequence[Run], vocab: Vocab, device: Any) -> MixtureCandidate:
    candidates: dict[str, ModelCandidate] = {}
    for run in runs:
        if run.family not in ("ngram", "rnn"):
            continue
        seeds = read_card(run.file("card.yaml")).get("seeds") or [None]
        labels = [name_seed(run.model, seed) for seed in seeds]
        if weights.keys() & set(labels):
            replicas = [candidate for _, candidate in list_replicas(LanguageModel.load(run.folder, device))]
            candidates |= dict(zip(labels, replicas, strict=True))
    if lacking := [label for label in weights if label not in candidates]:
        raise InputError(f"the mixture has the part {lacking[0]!r}, which gives no distribution; audit other mixtures")
    return MixtureCandidate([candidates[label] for label in weights], np.array(list(weights.values())))


def _test_bits(run: Run) -> float:
    rows = read_metrics(run.file("metrics.json"))["scores"]
    return next(float(row["bits_per_symbol"]) for row in rows if row["split"] == "test")


def _read_divisors(metrics: dict[str, Any], seed: int | None) -> dict[str, int] | None:
    """Return the numbers that total bits were divided by, from the figures of a seed; None for infinite figures."""
    row = next(row for row in metrics["scores"] if row["split"] == "test" and row["seed"] == seed)
    total = row["bits_per_symbol"] * row["symbols"]
    if not math.isfinite(total) or not total:
        return None
    return {name: round(total / row[figure]) for figure, name in DIVISOR_OF.items()}


def _read_scored_texts(prepared: Path, vocab: Vocab, test: Sequence[NDArray[Any]]) -> list[str] | None:
    """Return the raw text of the scored symbols of each test segment; None for unknown pieces of a byte-pair encoding,
    or without the clean text.
    """
    if vocab.unit in BYTE_UNITS and not any((segment[1:] == 0).any() for segment in test):
        data = [to_bytes(vocab.to_tokens(segment[1:]), vocab.unit) for segment in test]
        return [part.decode("utf-8", "surrogateescape") for part in data]
    clean = prepared.parent / "clean.txt"
    if vocab.unit == "bpe" or not clean.exists():
        return None
    splits = read_splits(prepared / "splits.json")
    text = read_clean(clean)
    if splits["kind"] == FILES_KIND:
        text = text.replace(SEPARATOR, " " if vocab.unit == "word" else "")
    return cut_scored_texts(text, vocab.unit, splits["splits"]["test"]["segments"])


def _find_parts(vocab: Vocab, train: NDArray[Any]) -> frozenset[int]:
    """Return the pieces of a byte-pair encoding that are in train within longer pieces only."""
    if vocab.unit != "bpe":
        return frozenset()
    seen = set(np.unique(train).tolist())
    data = to_bytes(vocab.to_tokens(train), vocab.unit)
    absent = set(range(1, len(vocab))) - seen
    return frozenset(index for index in absent if vocab.tokens[index].encode("latin-1") in data)
