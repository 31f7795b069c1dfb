"""seqlab corpora: the texts that can be named, and what is odd about a text of one's own."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from seqlab.cli.output import AsJson, aligned, examples, read_text, show
from seqlab.text.cleaning import CLEANING_FUNCTIONS, apply_cleaning

EXAMPLES = ["seqlab corpora", "seqlab corpora check my.txt"]
EXAMPLES += ["seqlab corpora check my.txt --cleaning letters --unit word"]
app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True, epilog=examples(*EXAMPLES))
Definitions = Annotated[Path, typer.Option(help="where texts are defined")]
DEFINITIONS = Path("config/corpora.yaml")
SHARES = {"train": 0.9, "valid": 0.05, "test": 0.05}
MIN_FREQ = {"word": 2}  # as in config/config.yaml; 1 for other units


@app.callback()
def corpora(context: typer.Context, definitions: Definitions = DEFINITIONS, as_json: AsJson = False) -> None:
    """List the texts that experiments can name, or check a text of your own."""
    if context.invoked_subcommand is None:
        list_corpora(definitions, as_json)


@app.command("list")
def list_corpora(definitions: Definitions = DEFINITIONS, as_json: AsJson = False) -> None:
    """List the texts of config/corpora.yaml: where they come from, their licence, and whether they are here."""
    from seqlab.text.definitions import load_corpora

    rows = [
        {
            "corpus": name,
            "title": corpus["title"],
            "from": _origin(corpus),
            "licence": corpus["licence"],
            "cleaning": corpus["cleaning"],
            "units": corpus["units"],
            "fetched": (Path("resources") / name / "raw.txt").exists(),
        }
        for name, corpus in load_corpora(definitions).items()
    ]
    table = [["corpus", "from", "here", "title"]]
    table += [[row["corpus"], row["from"], "yes" if row["fetched"] else "", row["title"]] for row in rows]
    show({"corpora": rows}, as_json, aligned(table))


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="a text in UTF-8; - is standard input")],
    unit: Annotated[str, typer.Option(help="char, word or byte")] = "char",
    min_freq: Annotated[int | None, typer.Option(min=1, help="rarer tokens are unknown [2 for word, else 1]")] = None,
    cleaning: Annotated[
        str, typer.Option(help=f"done to the text first: {', '.join(CLEANING_FUNCTIONS)}")
    ] = "whitespace",
    as_json: AsJson = False,
) -> None:
    """Say what is odd about a text, before anything learns from it, as the workflow would.

    Cut into train, valid and test along its length, 90 / 5 / 5. Exit code 1 where a finding would stop the workflow.
    """
    from seqlab.io.runs import SPLIT_NAMES
    from seqlab.text.checks import check_clean, check_raw, check_splits, check_unit
    from seqlab.text.splits import cut_text
    from seqlab.text.vocab import Vocab

    raw = read_text(file)
    text = apply_cleaning(raw, cleaning, file)
    tokens, segments = cut_text(text, unit, SHARES)
    train = [token for start, stop in segments["train"] for token in tokens[start:stop]]
    vocab = Vocab(train, min_freq or MIN_FREQ.get(unit, 1), unit=unit)
    ids = vocab.encode(tokens)
    parts: dict[str, Sequence[Any]] = {
        name: [ids[start:stop] for start, stop in segments[name]] for name in SPLIT_NAMES
    }
    findings = check_raw(raw) + check_clean(text) + check_unit(text, vocab)
    findings += check_splits(parts, vocab.tokens, unit) if len(vocab) > 1 else []
    content = {
        "file": file,
        "cleaning": cleaning,
        "unit": unit,
        "characters": len(text),
        "symbols": len(tokens),
        "different": len(vocab) - 1,
        "findings": [asdict(finding) for finding in findings],
    }
    show(content, as_json, _lines(content))
    if any(finding.stops for finding in findings):
        sys.exit(1)


def _origin(corpus: dict[str, Any]) -> str:
    return {"url": "download", "path": "file", "files": "files", "builtin": "built in"}[corpus["kind"]]


def _lines(content: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{content['file']}: {content['characters']:,} characters after cleaning ({content['cleaning']}), "
        f"{content['symbols']:,} symbols by {content['unit']}, {content['different']:,} different ones in train"
    )
    for finding in content["findings"]:
        yield f"{'error' if finding['stops'] else 'warning'}: {finding['sentence']} ({finding['kind']})"
    if not content["findings"]:
        yield "nothing odd was found"
