"""seqlab compare: verdicts on models."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqlab.cli.output import AsJson, align_columns, format_examples, print_result
from seqlab.io.cards import read_card
from seqlab.io.errors import InputError
from seqlab.io.runs import find_experiment

if TYPE_CHECKING:
    from seqlab.questions.verdicts import Verdict

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog=format_examples(
        "seqlab compare results/default/python_docs/char/rnn/lstm-1x64 results/default/python_docs/char/ngram/mkn-6",
        "seqlab compare results/default/python_docs/char/ngram/mkn-{6,5,4}",
    )
)
def compare_models(
    models: Annotated[list[Path], typer.Argument(help="folders of runs on the same text", metavar="A B...")],
    as_json: AsJson = False,
) -> None:
    """Compare model A with B on the test split, symbol by symbol.

    Print whether A is better than B, worse or tied with it (not distinguishable), and the difference in bits per symbol
    with its 95 % interval over texts and seeds. With more than two models, compare A with each of the others and adjust
    the p values for their number.
    """
    from seqlab.ledger.perplexity import read_metrics
    from seqlab.ledger.scores import read_scores
    from seqlab.questions.verdicts import Entry, judge_pairs

    if len(models) < 2:
        raise InputError(f"compare needs two folders and got {models[0]} alone; name a second one")
    _same_text(models)
    entries = [
        Entry(read_metrics(folder / "metrics.json"), read_scores(folder / "scores.npz")["test"]) for folder in models
    ]
    verdicts = judge_pairs([(entries[0], other) for other in entries[1:]])
    figures = [_figures(folder, entry.metrics) for folder, entry in zip(models, entries, strict=True)]
    content = {"split": "test", "models": figures, "verdicts": [asdict(verdict) for verdict in verdicts]}
    print_result(content, as_json, _lines(figures, verdicts))


def _same_text(folders: list[Path]) -> None:
    """Raise InputError unless all models were scored on the same symbols."""
    cards = [read_card(folder / "card.yaml") for folder in folders]
    for folder, card in zip(folders, cards, strict=True):
        for key in ("corpus", "unit", "data"):
            if card.get(key) != cards[0].get(key):
                data = "other data" if key == "data" else f"{key} {card.get(key)}"
                raise InputError(f"{folder} was scored on {data}, unlike {folders[0]}; use models of one text and unit")


def _figures(folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the names of a run, its means over seeds, and whether its validation loss was still falling (None for
    models without epochs); the experiment is None outside of experiments.
    """
    rows = [row for row in metrics["scores"] if row["split"] == "test"]
    mean = {key: statistics.fmean(row[key] for row in rows) for key in ("bits_per_symbol", "perplexity")}
    experiment = find_experiment(folder)
    names = {"experiment": experiment and experiment.name, "model": metrics["model"], "family": metrics["family"]}
    fit = metrics.get("fit")
    return names | {"seeds": len(rows)} | mean | {"still_falling": fit and fit["still_falling"]}


def _lines(models: list[dict[str, Any]], verdicts: "list[Verdict]") -> Iterator[str]:
    from seqlab.fleet.fit import REMEDIES, STILL_FALLING

    rows = [["model", "experiment", "seeds", "bits per symbol", "perplexity"]]
    for model in models:
        figures = (f"{model['bits_per_symbol']:.4f}", f"{model['perplexity']:.4f}")
        rows.append([model["model"], model["experiment"] or "", str(model["seeds"]), *figures])
    yield from align_columns(rows)
    several = len({model["experiment"] for model in models}) > 1
    names = [f"{model['model']} of {model['experiment'] or 'none'}" if several else model["model"] for model in models]
    for name, verdict in zip(names[1:], verdicts, strict=True):
        yield ""
        yield _sentence(names[0], replace(verdict, against=name))
    for name, model in zip(names, models, strict=True):
        if model["still_falling"]:
            yield ""
            remedy = REMEDIES[STILL_FALLING].format(section="rnn")
            yield f"{name} is underfitted ({STILL_FALLING}), so its verdicts are not settled. Remedy: {remedy}."


def _sentence(model: str, verdict: "Verdict") -> str:
    if not verdict.is_known:
        return f"{model} is {verdict.in_words}."
    return (
        f"{model} is {verdict.in_words}, p = {verdict.p_holm:.2g}. The test detects a difference of "
        f"{verdict.minimum_detectable:.4f} with a power of 80 %."
    )
