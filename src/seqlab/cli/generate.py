"""seqlab generate: texts sampled from a model, or its most likely continuation."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from seqlab.cli.output import AsJson, Device, Model, format_examples, load_model, print_result, read_text
from seqlab.io.errors import InputError
from seqlab.text.tokens import to_bytes

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog=format_examples(
        "seqlab generate --model results/default/python_docs/char/rnn/lstm-1x64 --prompt 'The value of'",
        "seqlab generate -m results/default/python_docs/char/ngram/mkn-6 --temperature 0.7 --top-p 0.9 --samples 3",
        "echo 'The value of' | seqlab generate -m results/default/python_docs/char/ngram/mkn-6 --prompt - --beam 8",
    )
)
def generate_texts(
    model: Model,
    prompt: Annotated[str, typer.Option(help="beginning of the text; - is standard input")] = "",
    symbols: Annotated[int, typer.Option(min=1, help="number of symbols to generate")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="below 1 favours likely symbols, 0 is greedy")] = 1.0,
    top_k: Annotated[int | None, typer.Option(min=1, help="sample from the k most likely symbols only")] = None,
    top_p: Annotated[float | None, typer.Option(help="sample from the most likely symbols up to this sum")] = None,
    beam: Annotated[int | None, typer.Option(min=1, help="search the most likely text with this beam width")] = None,
    samples: Annotated[int, typer.Option(min=1, help="number of texts to sample")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="seed of the first sample; the next samples use the next seeds")] = 1,
    replica: Annotated[int | None, typer.Option(help="training seed of the network (default: the first)")] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Continue a prompt. The same seed gives the same text.

    Without a prompt the text continues the most frequent symbol. Text is printed while it is sampled.
    """
    drawing = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    if beam is not None and (samples > 1 or drawing != {"temperature": 1.0, "top_k": None, "top_p": None}):
        raise InputError("--beam excludes --samples, --temperature, --top-k and --top-p; use --beam or the others")
    loaded = load_model(model, device)
    number = _replica(loaded, replica)
    prompt = read_text("-").rstrip("\n") if prompt == "-" else _as_utf8(prompt)
    begun = loaded.encoded(prompt, 1)[1].tolist() if prompt else [min(1, len(loaded.vocab) - 1)]
    if prompt and (unknown := begun.count(0)):
        typer.echo(f"warning: {unknown} of {len(begun)} symbols of the prompt are unknown to the model", err=True)
    reading = loaded.model.read(begun, number)
    content: dict[str, Any] = {"model": loaded.name, "replica": loaded.model.seeds[number], "prompt": prompt}
    if beam is not None:
        from seqlab.sampling import search_likeliest

        indices, bits = search_likeliest(reading, symbols, beam)
        content |= {"beam": beam, "bits": bits, "texts": [_continuation(loaded, prompt, indices)]}
        print_result(content, as_json, [prompt + content["texts"][0]])
        return
    content |= drawing | {"seed": seed, "texts": []}
    for draw_seed in range(seed, seed + samples):
        pieces = _pieces(loaded, prompt, reading, symbols, draw_seed, drawing)
        content["texts"].append("".join(pieces if as_json else _print_pieces(prompt, pieces)))
    if as_json:
        print_result(content, True, [])


def _as_utf8(argument: str) -> str:
    """Return an argument decoded as UTF-8 in every locale; invalid bytes become surrogates."""
    try:
        return argument.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return argument


def _replica(loaded: Any, seed: int | None) -> int:
    """Return the index of the replica with this seed; 0 for None."""
    if seed is None:
        return 0
    if seed not in loaded.model.seeds:
        known = ", ".join(str(number) for number in loaded.model.seeds if number is not None) or "none"
        raise InputError(f"--replica is {seed}, but the seeds of {loaded.name} are {known}; use one of them")
    return int(loaded.model.seeds.index(seed))


def _pieces(loaded: Any, prompt: str, reading: Any, symbols: int, seed: int, drawing: dict[str, Any]) -> Iterator[str]:
    """Yield the sampled text symbol by symbol; bytes are held back until a character is complete."""
    import numpy as np

    from seqlab.sampling import drawn

    vocab, decoder = loaded.vocab, getincrementaldecoder("utf-8")("replace")
    for place, index in enumerate(drawn(reading, symbols, np.random.default_rng(seed), **drawing)):
        blank = b" " if vocab.unit == "word" and (prompt or place) else b""
        yield decoder.decode(blank + to_bytes(vocab.to_tokens([index]), vocab.unit))
    yield decoder.decode(b"", final=True)


def _continuation(loaded: Any, prompt: str, indices: list[int]) -> str:
    text: str = loaded.continuation_text(indices) if prompt else loaded.vocab.text_of(indices)
    return text


def _print_pieces(prompt: str, pieces: Iterator[str]) -> Iterator[str]:
    """Yield `pieces` and print them immediately, behind the prompt."""
    typer.echo(prompt, nl=False)
    for piece in pieces:
        typer.echo(piece, nl=False)
        yield piece
    typer.echo()
