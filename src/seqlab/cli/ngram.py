"""seqlab ngram: n-gram models of any text, with ARPA files and probabilities of sentences."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from seqlab.cli import output
from seqlab.io.errors import InputError, quote

EXAMPLES = ["seqlab ngram train corpus.txt -o 5 --model model", "seqlab ngram query model test.txt --json"]
app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Train, query, prune, inspect and mix n-gram models of any text.",
    epilog=output.format_examples(*EXAMPLES),
)
SIZE_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
SENTENCE_HEADER = "log10\tunknown\tperplexity\tperplexity_without_unknown\tsentence"
TOKEN_HEADER = "sentence\tposition\ttoken\torder\tlog10"
Source = Annotated[Path, typer.Argument(metavar="MODEL", help="folder of a model, or an ARPA file")]
Sources = Annotated[list[Path], typer.Argument(metavar="MODEL...", help="folders of models, or ARPA files")]
Arpa = Annotated[Path | None, typer.Option("--arpa", help="write the model as ARPA; .gz compresses it")]
Folder = Annotated[Path | None, typer.Option("--model", help="write the model file into this folder", metavar="DIR")]
Threads = Annotated[int | None, typer.Option(min=1, help="threads [all cores]")]


class PruneCommand(TyperCommand):
    """A command whose option --prune takes all numbers after it, as that of lmplz does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the numbers after --prune to one argument."""
        joined: list[str] = []
        for argument in args:
            is_number = len(joined) > 1 and joined[-2] == "--prune" and re.fullmatch(r"\d+", argument)
            joined[-1:] = [f"{joined[-1]} {argument}"] if is_number else [*joined[-1:], argument]
        return super().parse_args(ctx, joined)


@app.command(
    cls=PruneCommand,
    epilog=output.format_examples(
        "seqlab ngram train corpus.txt.gz -o 5 --arpa model.arpa.gz --model model",
        "zcat *.gz | seqlab ngram train - -o 3 --prune 0 0 1 --memory 4G --model model",
        "seqlab ngram train book.txt --unit char -o 8 --model model",
    ),
)
def train(
    texts: Annotated[
        list[str],
        typer.Argument(metavar="TEXT...", help="texts in UTF-8, plain, gz, bz2, xz or zst; - is standard input"),
    ],
    order: Annotated[int, typer.Option("--order", "-o", min=1, help="highest order")] = 5,
    unit: Annotated[str, typer.Option(help="word, char, byte or bpe")] = "word",
    lines: Annotated[
        bool | None,
        typer.Option("--lines/--stream", help="lines between <s> and </s>, or one stream [lines for words]"),
    ] = None,
    smoothing: Annotated[str, typer.Option(help="mkn, kn, abs, wb or mle")] = "mkn",
    prune: Annotated[
        str, typer.Option(metavar="N...", help="remove n-grams that occur at most so often, for each order: 0 0 1")
    ] = "",
    vocabulary: Annotated[
        Path | None, typer.Option(help="file with one word in each line; all others are unknown words")
    ] = None,
    merges: Annotated[int, typer.Option(min=1, help="merges of unit bpe")] = 4000,
    memory: Annotated[str | None, typer.Option(help="bound of memory, such as 4G; n-grams are counted on disk")] = None,
    threads: Threads = None,
    arpa: Arpa = None,
    model: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as one JSON object")] = False,
) -> None:
    """Estimate an n-gram model of TEXT and write it as ARPA, as a model file, or both.

    Words are separated by blanks and tabs, as in KenLM. A summary goes to standard error.
    """
    _check_outputs(arpa, model)
    from seqlab.machine.threads import count_cores
    from seqlab.ngram.language import NgramModel, write_model_as_arpa
    from seqlab.ngram.packed import PackedModel
    from seqlab.ngram.training import TrainingSettings, read_vocabulary, train_model
    from seqlab.text.blocks import read_blocks

    cores = threads or count_cores()
    thresholds = _parse_thresholds(prune)
    settings = TrainingSettings(order, unit, lines, smoothing, thresholds, _parse_size(memory), cores, merges)
    words = read_vocabulary(vocabulary) if vocabulary else None
    notes: list[str] = []
    with output.show_progress(_size_of(texts), "reading", "B") as bar:
        trained = train_model(read_blocks(texts, notes, bar.update), settings, words)
    trained.description["notes"][:0] = notes
    packed = PackedModel.pack(trained.model, trained.table)
    written = NgramModel(packed, trained.description)
    if arpa:
        write_model_as_arpa(arpa, trained.model, written.tokens, trained.description, cores)
    if model:
        written.save(model)
    content = _describe(written) | {name: round(value, 3) for name, value in trained.cost.items()}
    if as_json:
        output.print_result(content, True, ())
    else:
        typer.echo("\n".join(_summary(content)), err=True)


@app.command(
    epilog=output.format_examples(
        "seqlab ngram query model test.txt", "seqlab ngram query model.arpa.gz - --per-token < test.txt"
    )
)
def query(
    model: Source,
    text: Annotated[str, typer.Argument(help="a text in UTF-8, plain or compressed; - is standard input")],
    per_token: Annotated[bool, typer.Option("--per-token", help="print a TSV line for each symbol")] = False,
    summary_only: Annotated[bool, typer.Option("--summary", help="print the totals only")] = False,
    threads: Threads = None,
    as_json: output.AsJson = False,
) -> None:
    """Print log10 of the probability, unknown words and perplexity of every line of TEXT, and of all together.

    Perplexities count </s>. Without unknown words, these are left out of the sum and of the number of symbols.
    """
    if per_token and as_json:
        raise InputError("--per-token prints TSV and --json prints JSON; use one of them")
    from seqlab.machine.threads import count_cores
    from seqlab.ngram.language import NgramModel
    from seqlab.text.blocks import read_blocks

    loaded = NgramModel.load(model)
    notes: list[str] = []
    blocks = list(read_blocks([text], notes))
    scores = loaded.score_text(blocks, threads or count_cores())
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    totals = scores.summarize()
    if not totals["symbols"]:
        raise InputError(f"{text} has no symbol to score after its first; give a longer text")
    if as_json:
        output.print_result({"model": str(model), "text": text} | totals, True, ())
        return
    if not summary_only:
        names = b"".join(blocks).decode().removesuffix("\n").split("\n") if loaded.lines else [text]
        lines = _token_lines(scores, loaded.tokens) if per_token else _sentence_lines(scores, names)
        for line in lines:
            typer.echo(line)
    for line in _totals(totals):
        typer.echo(line, err=per_token)


@app.command(epilog=output.format_examples("seqlab ngram prune model --entropy 1e-8 --arpa small.arpa.gz"))
def prune(
    model: Source,
    entropy: Annotated[float, typer.Option(help="remove n-grams that raise the perplexity by less than this share")],
    threads: Threads = None,
    arpa: Arpa = None,
    folder: Folder = None,
) -> None:
    """Prune MODEL by relative entropy (Stolcke 1998). To prune by counts, use seqlab ngram train --prune."""
    _check_outputs(arpa, folder)
    from seqlab.ngram.language import NgramModel
    from seqlab.ngram.pruning import prune_by_relative_entropy

    loaded = NgramModel.load(model)
    pruned = prune_by_relative_entropy(loaded.unpack(), entropy, loaded.start)
    result = loaded.with_ngrams(pruned)
    _write(result, arpa, folder, threads)
    kept, whole = sum(result.packed.shape.ngrams), sum(loaded.packed.shape.ngrams)
    typer.echo(f"{kept:,} of {whole:,} n-grams kept", err=True)


@app.command(epilog=output.format_examples("seqlab ngram info model", "seqlab ngram info model --check"))
def info(
    model: Source,
    check: Annotated[bool, typer.Option("--check", help="compare the checksum of the whole file")] = False,
    as_json: output.AsJson = False,
) -> None:
    """Print what MODEL is: unit, orders, n-grams, size beside that of KenLM's formats, notes of the training."""
    from seqlab.io.files import verified
    from seqlab.ngram.language import MODEL_FILE, NgramModel

    loaded = NgramModel.load(model)
    if check and model.is_dir():
        verified(model / MODEL_FILE)
    content = _describe(loaded)
    output.print_result(content, as_json, _summary(content))


@app.command(epilog=output.format_examples("seqlab ngram mix news books --tune valid.txt --arpa mixed.arpa.gz"))
def mix(
    models: Sources,
    tune: Annotated[str | None, typer.Option(metavar="TEXT", help="a text on which the weights are fitted")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="W...", help='weights of the models, such as "0.7 0.3"')
    ] = None,
    threads: Threads = None,
    arpa: Arpa = None,
    folder: Folder = None,
) -> None:
    """Interpolate MODELs linearly as one n-gram model, with given weights or those that suit a text best."""
    _check_outputs(arpa, folder)
    if (tune is None) == (weights is None):
        raise InputError("the weights are missing or there twice; give --tune TEXT or --weights")
    from seqlab.ngram.language import NgramModel
    from seqlab.ngram.mixing import fit_mixture, mix_models
    from seqlab.text.blocks import read_blocks

    loaded = [NgramModel.load(path) for path in models]
    shares = _parse_weights(weights) if weights else fit_mixture(loaded, b"".join(read_blocks([str(tune)], [])))
    mixed = mix_models(loaded, shares)
    _write(mixed, arpa, folder, threads)
    for path, share in zip(models, shares, strict=True):
        typer.echo(f"{share:.4f}  {path}", err=True)


def _check_outputs(arpa: Path | None, folder: Path | None) -> None:
    if arpa is None and folder is None:
        raise InputError("there is nothing to write; give --arpa FILE, --model DIR or both")


def _write(result: Any, arpa: Path | None, folder: Path | None, threads: int | None) -> None:
    from seqlab.machine.threads import count_cores

    if arpa:
        result.write_arpa(arpa, threads or count_cores())
    if folder:
        result.save(folder)


def _parse_thresholds(text: str) -> list[int]:
    """Return the numbers of --prune, separated by blanks or commas."""
    try:
        return [int(part) for part in re.split(r"[\s,]+", text) if part]
    except ValueError:
        raise InputError(f"--prune is {quote(text)}; give a number for each order, such as 0 0 1") from None


def _parse_weights(text: str) -> list[float]:
    try:
        return [float(part) for part in re.split(r"[\s,]+", text) if part]
    except ValueError:
        raise InputError(f"--weights is {quote(text)}; give a number for each model, such as '0.7 0.3'") from None


def _parse_size(text: str | None) -> int | None:
    """Return a number of bytes such as 500M, 4G or, of the memory of this machine, 50%."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?|(\d+(?:\.\d+)?)%", text.strip(), re.IGNORECASE)
    if match is None:
        raise InputError(f"--memory is {quote(text)}; give a size such as 500M or 4G, or a share such as 50%")
    if match[3]:
        return int(float(match[3]) / 100 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return int(float(match[1]) * SIZE_FACTORS[match[2].lower()])


def _size_of(texts: Sequence[str]) -> int | None:
    """Return the bytes of all texts; None where one is compressed, as far as its name says, or standard input."""
    paths = [Path(text) for text in texts]
    is_plain = all(path.is_file() and path.suffix not in (".gz", ".bz2", ".xz", ".zst") for path in paths)
    return sum(path.stat().st_size for path in paths) if is_plain else None


def _sentence_lines(scores: Any, sentences: Sequence[str]) -> Iterator[str]:
    """Yield a header and a line for each sentence."""
    yield SENTENCE_HEADER
    for sentence, part in zip(sentences, scores.cut_sentences(), strict=True):
        totals = part.summarize_all()
        figures = (totals[name] for name in ("perplexity", "perplexity_without_unknown"))
        cells = [f"{totals['log10_total']:.6f}", f"{totals['unknown']}", *map(_figure, figures), sentence]
        yield "\t".join(cells)


def _token_lines(scores: Any, tokens: Sequence[str]) -> Iterator[str]:
    """Yield a header and a line for each scored symbol; the words of an order of 1 may be unknown."""
    yield TOKEN_HEADER
    for number, part in enumerate(scores.cut_sentences(), start=1):
        rows = zip(part.symbols.tolist(), part.orders.tolist(), part.log10.tolist(), strict=True)
        for position, (symbol, order, log10) in enumerate(rows, start=1):
            token = tokens[symbol] if tokens[symbol].isprintable() else ascii(tokens[symbol])[1:-1]
            yield f"{number}\t{position}\t{token}\t{order}\t{log10:.6f}"


def _totals(totals: dict[str, Any]) -> Iterator[str]:
    yield f"{totals['symbols']:,} symbols scored, {totals['unknown']:,} of them unknown"
    yield f"log10 of the probability   {totals['log10_total']:.4f}"
    yield f"perplexity                 {_figure(totals['perplexity'])}"
    yield f"without unknown words      {_figure(totals['perplexity_without_unknown'])}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _describe(model: Any) -> dict[str, Any]:
    """Return the description of a model with its sizes, in bytes."""
    shape = model.packed.shape
    total = sum(shape.ngrams)
    facts = {"order": shape.order, "ngrams": list(shape.ngrams), "bytes": shape.size}
    sizes = {"seqlab": shape.size} | estimate_kenlm_sizes(shape.ngrams)
    described = {key: value for key, value in model.description.items() if key not in ("merges", "digest")}
    return described | facts | {"bytes_per_ngram": {name: round(size / total, 2) for name, size in sizes.items()}}


def estimate_kenlm_sizes(ngrams: Sequence[int]) -> dict[str, int]:
    """Return the bytes of the arrays of KenLM's formats probing and trie, without words, for n-grams of each order.

    Probing: 1.5 slots for each n-gram, 16 bytes, or 12 in the highest order. Trie: bit-packed words, probabilities of
    31 bits, weights of 32 bits, and places of successors (Heafield 2011, section 3).
    """
    probing = 8 * (ngrams[0] + 1)
    trie = 16 * (ngrams[0] + 1)
    word_bits = ngrams[0].bit_length()
    for k, size in enumerate(ngrams[1:], start=2):
        is_highest = k == len(ngrams)
        probing += int(1.5 * size) * (12 if is_highest else 16)
        bits = word_bits + (31 if is_highest else 63 + ngrams[k].bit_length())
        trie += -(-(size + 1) * bits // 8)
    words = 12 * ngrams[0]  # a hash of 64 bits in 1.5 slots
    return {"kenlm_trie": trie + 8 * ngrams[0], "kenlm_probing": probing + words}


def _summary(content: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that describe a model."""
    kind = "lines between <s> and </s>" if content["lines"] else "one stream"
    smoothing = f", smoothing {content['smoothing']}" if "smoothing" in content else ""
    yield f"{content['unit']} n-grams of {kind}{smoothing}"
    if "symbols" in content:
        lines = f" in {content['sentences']:,} lines" if content["lines"] else ""
        yield f"{content['symbols']:,} symbols{lines}, {content['ngrams'][0]:,} entries of the vocabulary"
    rows = [["order", "n-grams", "D1", "D2", "D3+"]]
    discounts = content.get("discounts") or [[]] * len(content["ngrams"])
    for k, (ngrams, amounts) in enumerate(zip(content["ngrams"], discounts, strict=False), start=1):
        rows.append([str(k), f"{ngrams:,}", *[f"{amount:.6f}" for amount in amounts]])
    width = max(map(len, rows[1:]))
    yield from output.align_columns([row[:width] for row in rows])
    yield from content["notes"]
    sizes = content["bytes_per_ngram"]
    yield (
        f"{content['bytes'] / 1e6:.1f} MB, bytes per n-gram: {sizes['seqlab']} (KenLM: trie {sizes['kenlm_trie']}, "
        f"probing {sizes['kenlm_probing']})"
    )
    if "peak_bytes" in content:
        yield (
            f"{content['text_seconds']:.2f} s for the text, {content['model_seconds']:.2f} s for the model, "
            f"memory {content['peak_bytes'] / 1e6:.0f} MB at most"
        )
