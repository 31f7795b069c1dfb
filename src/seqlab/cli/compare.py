"""seqlab compare: whether the difference between models is real."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqlab.cli.output import AsJson, aligned, examples, show
from seqlab.io.cards import read_card
from seqlab.io.errors import InputError
from seqlab.io.runs import find_experiment

if TYPE_CHECKING:
    from seqlab.questions.verdicts import Verdict

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog=examples(
        "seqlab compare results/default/python_docs/char/rnn/lstm-1x64 results/default/python_docs/char/ngram/mkn-6",
        "seqlab compare results/default/python_docs/char/ngram/mkn-{6,5,4}",
    )
)
def compare(
    models: Annotated[list[Path], typer.Argument(help="folders of runs on the same text", metavar="A B...")],
    as_json: AsJson = False,
) -> None:
    """Hold model A against B on the test split, symbol by symbol.

    Prints whether A is better than B, worse or tied with it, that is, not distinguishable, and the difference in bits
    per symbol with its 95 % interval over other texts and other seeds; with more than two models, A against each, and
    the p values are adjusted together.
    """
    from seqlab.ledger.perplexity import read_metrics
    from seqlab.ledger.scores import read_scores
    from seqlab.questions.verdicts import Entry, judge_pairs

    if len(models) < 2:
        raise InputError(f"compare was given {models[0]} alone; name a second folder to hold it against")
    _same_text(models)
    entries = [
        Entry(read_metrics(folder / "metrics.json"), read_scores(folder / "scores.npz")["test"]) for folder in models
    ]
    verdicts = judge_pairs([(entries[0], other) for other in entries[1:]])
    figures = [_figures(folder, entry.metrics) for folder, entry in zip(models, entries, strict=True)]
    content = {"split": "test", "models": figures, "verdicts": [asdict(verdict) for verdict in verdicts]}
    show(content, as_json, _lines(figures, verdicts))


def _same_text(folders: list[Path]) -> None:
    """InputError, naming what differs, unless all models were scored on the same symbols."""
    cards = [read_card(folder / "card.yaml") for folder in folders]
    for folder, card in zip(folders, cards, strict=True):
        for key in ("corpus", "unit", "data"):
            if card.get(key) != cards[0].get(key):
                told = "other data" if key == "data" else f"{key} {card.get(key)}"
                raise InputError(
                    f"{folder} was scored on {told} than {folders[0]}; only models of the same symbols can be compared"
                )


def _figures(folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """The names of a run and its means over seeds; the experiment is None for a folder outside of any."""
    rows = [row for row in metrics["scores"] if row["split"] == "test"]
    mean = {key: statistics.fmean(row[key] for row in rows) for key in ("bits_per_symbol", "perplexity")}
    experiment = find_experiment(folder)
    names = {"experiment": experiment and experiment.name, "model": metrics["model"], "family": metrics["family"]}
    return names | {"seeds": len(rows)} | mean


def _lines(models: list[dict[str, Any]], verdicts: "list[Verdict]") -> Iterator[str]:
    rows = [["model", "experiment", "seeds", "bits per symbol", "perplexity"]]
    for each in models:
        figures = (f"{each['bits_per_symbol']:.4f}", f"{each['perplexity']:.4f}")
        rows.append([each["model"], each["experiment"] or "", str(each["seeds"]), *figures])
    yield from aligned(rows)
    several = len({each["experiment"] for each in models}) > 1
    names = [f"{each['model']} of {each['experiment'] or 'none'}" if several else each["model"] for each in models]
    for name, verdict in zip(names[1:], verdicts, strict=True):
        yield ""
        yield _sentence(names[0], replace(verdict, against=name))


def _sentence(model: str, verdict: "Verdict") -> str:
    if not verdict.is_known:
        return f"{model} is {verdict.in_words}."
    return (
        f"{model} is {verdict.in_words}, p = {verdict.p_holm:.2g}. A difference of {verdict.minimum_detectable:.4f} "
        "would be found in four of five such comparisons."
    )
