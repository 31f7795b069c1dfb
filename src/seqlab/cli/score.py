"""seqlab score: what a text costs a model."""

import math
import statistics
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from seqlab.cli.output import AsJson, Device, Model, aligned, examples, load_model, progress, read_text, show
from seqlab.io.errors import InputError
from seqlab.ledger.perplexity import FIGURES, figures
from seqlab.text.cleaning import CLEANING_FUNCTIONS, apply_cleaning

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MANY = 0.01  # share of unknown symbols from which one suspects that the text is not of the model's kind
TITLES = ("perplexity", "bits per symbol", "bits per character", "bits per byte", "bits per word")
ORDER = ("perplexity", "bits_per_symbol", "bits_per_char", "bits_per_byte", "bits_per_word")


@app.command(
    epilog=examples(
        "seqlab score my.txt --model results/default/python_docs/char/ngram/mkn-6",
        "seqlab score - -m results/time_machine/time_machine/char/rnn/lstm-2x128 --cleaning letters < chapter.txt",
        "seqlab score my.txt -m results/default/python_docs/char/rnn/lstm-1x64 --per-token > tokens.tsv",
    )
)
def score(
    file: Annotated[str, typer.Argument(help="a text in UTF-8; - is standard input")],
    model: Model,
    cleaning: Annotated[str, typer.Option(help=f"done to the text first: {', '.join(CLEANING_FUNCTIONS)}")] = "none",
    per_token: Annotated[bool, typer.Option("--per-token", help="a TSV line for each token instead")] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Print the perplexity of FILE and its bits per character, byte and word.

    The first symbol is context only, and the text is read as one stream. A network with several seeds gives the mean
    over them, and their standard deviation.
    """
    if per_token and as_json:
        raise InputError("--per-token prints TSV, so it can't be had with --json; leave one of them away")
    text = read_text(file)
    text = apply_cleaning(text, cleaning, file)
    loaded = load_model(model, device)
    tokens, indices = loaded.encoded(text, 2)
    with progress(len(indices) - 1, "scoring") as bar:
        bits = loaded.model.score([indices], bar.update)
    counts = loaded.counts(tokens, indices)
    rows = [{"seed": seed} | figures(each, counts) for seed, each in zip(loaded.model.seeds, bits, strict=True)]
    if counts["unknown"] > MANY * counts["scored"]:
        share = f"{counts['unknown'] / counts['scored']:.1%} of the symbols are unknown to the model"
        typer.echo(f"warning: {share}; was the text of its training cleaned in another way? See --cleaning", err=True)
    if per_token:
        for line in _table(tokens, indices, bits):
            typer.echo(line)
        return
    content = {"file": file, "model": loaded.name, "unit": loaded.vocab.unit, "cleaning": cleaning, "scores": rows}
    show(content, as_json, _lines(content))


def _lines(content: dict[str, Any]) -> Iterator[str]:
    rows = content["scores"]
    seeds = f", mean of {len(rows)} seeds" if len(rows) > 1 else ""
    yield f"{content['file']} under {content['model']}, by {content['unit']}{seeds}"
    first = rows[0]
    unknown = f"{first['unknown']:,} of them unknown" if first["unknown"] else "all known"
    yield f"{first['symbols']:,} symbols scored, {unknown}"
    if first["zero_probability"]:
        yield f"{first['zero_probability']:,} of them have probability zero under the model, so no figure is finite"
    yield from aligned([_cells(title, [row[name] for row in rows]) for title, name in zip(TITLES, ORDER, strict=True)])


def _cells(title: str, values: list[float]) -> list[str]:
    mean = statistics.fmean(values)
    several = len(values) > 1 and math.isfinite(mean)
    return [title, f"{mean:.4f}", f"± {statistics.stdev(values):.4f}" if several else ""]


def _table(tokens: list[str], indices: Any, bits: Any) -> Iterator[str]:
    """A header, and a line for each scored token: its place, itself with escapes, whether it is known, its bits."""
    yield "position\ttoken\tknown\tbits"
    for place, cost in enumerate(bits.mean(axis=0), start=1):
        token = tokens[place].encode("unicode_escape").decode("ascii") if _odd(tokens[place]) else tokens[place]
        yield f"{place}\t{token}\t{int(indices[place] > 0)}\t{cost:.6f}"


def _odd(token: str) -> bool:
    """Whether a token would not be seen in a table, or break it."""
    return "\\" in token or not token.isprintable()


assert set(ORDER) == set(FIGURES)
