"""seqlab score: perplexity and bits of a text under a model."""

import math
import statistics
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from seqlab.cli import output
from seqlab.io.errors import InputError
from seqlab.ledger.perplexity import compute_figures
from seqlab.text.cleaning import CLEANING_FUNCTIONS, apply_cleaning

app = typer.Typer(add_completion=False, rich_markup_mode=None)
SUSPICIOUS_SHARE = 0.01  # share of unknown symbols that suggests a differently cleaned text
UNIT_NAMES = {"symbol": "symbol", "char": "character", "byte": "byte", "word": "word"}
FIGURE_TITLES = {"perplexity": "perplexity"} | {
    f"bits_per_{key}": f"bits per {name}" for key, name in UNIT_NAMES.items()
}


@app.command(
    epilog=output.format_examples(
        "seqlab score my.txt --model results/default/python_docs/char/ngram/mkn-6",
        "seqlab score - -m results/time_machine/time_machine/char/rnn/lstm-2x128 --cleaning letters < chapter.txt",
        "seqlab score my.txt -m results/default/python_docs/char/rnn/lstm-1x64 --per-token > tokens.tsv",
    )
)
def score(
    file: Annotated[str, typer.Argument(help="a text in UTF-8; - is standard input")],
    model: output.Model,
    cleaning: Annotated[str, typer.Option(help=f"cleaning of the text: {', '.join(CLEANING_FUNCTIONS)}")] = "none",
    per_token: Annotated[bool, typer.Option("--per-token", help="print a TSV line for each token instead")] = False,
    device: output.Device = "auto",
    as_json: output.AsJson = False,
) -> None:
    """Print the perplexity of FILE and its bits per character, byte and word.

    The text is scored as one stream; its first symbol is context only. For networks with several seeds, print the mean
    and the standard deviation over seeds.
    """
    if per_token and as_json:
        raise InputError("--per-token prints TSV and --json prints JSON; use one of them")
    text = output.read_text(file)
    text = apply_cleaning(text, cleaning, file)
    loaded = output.load_model(model, device)
    tokens, indices = loaded.encoded(text, 2)
    with output.show_progress(len(indices) - 1, "scoring") as bar:
        bits = loaded.model.score([indices], bar.update)
    counts = loaded.counts(tokens, indices)
    replicas = zip(loaded.model.seeds, bits, strict=True)
    rows = [{"seed": seed} | compute_figures(costs, counts) for seed, costs in replicas]
    if counts["unknown"] > SUSPICIOUS_SHARE * counts["scored"]:
        share = f"{counts['unknown'] / counts['scored']:.1%} of the symbols are unknown to the model"
        typer.echo(f"warning: {share}; its training text may have been cleaned differently, see --cleaning", err=True)
    if per_token:
        for line in _table(tokens, indices, bits):
            typer.echo(line)
        return
    content = {"file": file, "model": loaded.name, "unit": loaded.vocab.unit, "cleaning": cleaning, "scores": rows}
    output.print_result(content, as_json, _lines(content))


def _lines(content: dict[str, Any]) -> Iterator[str]:
    rows = content["scores"]
    seeds = f", mean of {len(rows)} seeds" if len(rows) > 1 else ""
    yield f"{content['file']} under {content['model']}, by {content['unit']}{seeds}"
    first = rows[0]
    unknown = f"{first['unknown']:,} of them unknown" if first["unknown"] else "all known"
    yield f"{first['symbols']:,} symbols scored, {unknown}"
    if first["zero_probability"]:
        yield f"{first['zero_probability']:,} of them have probability zero under the model; all figures are infinite"
    yield from output.align_columns(
        [_cells(title, [row[name] for row in rows]) for name, title in FIGURE_TITLES.items()]
    )


def _cells(title: str, values: list[float]) -> list[str]:
    mean = statistics.fmean(values)
    several = len(values) > 1 and math.isfinite(mean)
    return [title, f"{mean:.4f}", f"± {statistics.stdev(values):.4f}" if several else ""]


def _table(tokens: list[str], indices: Any, bits: Any) -> Iterator[str]:
    """Yield a header and a line for each scored token: position, token with escapes, known (1) or not (0), bits."""
    yield "position\ttoken\tknown\tbits"
    for place, cost in enumerate(bits.mean(axis=0), start=1):
        token = tokens[place].encode("unicode_escape").decode("ascii") if _odd(tokens[place]) else tokens[place]
        yield f"{place}\t{token}\t{int(indices[place] > 0)}\t{cost:.6f}"


def _odd(token: str) -> bool:
    """Return whether a token is invisible in a table or breaks it."""
    return "\\" in token or not token.isprintable()
