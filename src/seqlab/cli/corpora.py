"""seqlab corpora: the list of defined texts, and checks of a text."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from seqlab.cli.output import AsJson, align_columns, format_examples, print_result, read_text
from seqlab.text.cleaning import CLEANING_FUNCTIONS, apply_cleaning

CORPORA_EXAMPLES = ["seqlab corpora", "seqlab corpora check my.txt"]
CORPORA_EXAMPLES += ["seqlab corpora check my.txt --cleaning letters --unit word"]
app = typer.Typer(
    add_completion=False, rich_markup_mode=None, invoke_without_command=True, epilog=format_examples(*CORPORA_EXAMPLES)
)
Definitions = Annotated[Path, typer.Option(help="file with the definitions of texts")]
DEFINITIONS = Path("config/corpora.yaml")
DEFAULT_SHARES = {"train": 0.9, "valid": 0.05, "test": 0.05}
MIN_FREQ = {"word": 2}  # as in config/config.yaml; 1 for other units


@app.callback()
def corpora(context: typer.Context, definitions: Definitions = DEFINITIONS, as_json: AsJson = False) -> None:
    """List the texts that experiments can use, or check a text of your own."""
    if context.invoked_subcommand is None:
        list_corpora(definitions, as_json)


@app.command("list")
def list_corpora(definitions: Definitions = DEFINITIONS, as_json: AsJson = False) -> None:
    """List the texts of config/corpora.yaml: origin, licence, and whether they are on this machine."""
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
    print_result({"corpora": rows}, as_json, align_columns(table))


@app.command("check")
def check_own_text(
    file: Annotated[str, typer.Argument(help="a text in UTF-8; - is standard input")],
    unit: Annotated[str, typer.Option(help="char, word or byte")] = "char",
    min_freq: Annotated[int | None, typer.Option(min=1, help="rarer tokens are unknown [2 for word, else 1]")] = None,
    cleaning: Annotated[
        str, typer.Option(help=f"cleaning of the text: {', '.join(CLEANING_FUNCTIONS)}")
    ] = "whitespace",
    as_json: AsJson = False,
) -> None:
    """Check a text for anomalies, as the workflow does before training.

    The text is cut into train, valid and test along its length, 90 / 5 / 5. Exit code 1 if a finding stops the
    workflow.
    """
    from seqlab.io.runs import SPLIT_NAMES
    from seqlab.text.checks import check_clean, check_raw, check_splits, check_unit
    from seqlab.text.splits import cut_text
    from seqlab.text.vocab import Vocab

    raw = read_text(file)
    text = apply_cleaning(raw, cleaning, file)
    tokens, segments = cut_text(text, unit, DEFAULT_SHARES)
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
    print_result(content, as_json, _lines(content))
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
        yield "no anomalies found"
