"""seqlab generate: texts drawn from a model, or its likeliest continuation."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from seqlab.cli.output import AsJson, Device, Model, examples, load_model, read_text, show
from seqlab.io.errors import InputError
from seqlab.text.tokens import to_bytes

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog=examples(
        "seqlab generate --model results/default/python_docs/char/rnn/lstm-1x64 --prompt 'The value of'",
        "seqlab generate -m results/default/python_docs/char/ngram/mkn-6 --temperature 0.7 --top-p 0.9 --samples 3",
        "echo 'The value of' | seqlab generate -m results/default/python_docs/char/ngram/mkn-6 --prompt - --beam 8",
    )
)
def generate(
    model: Model,
    prompt: Annotated[str, typer.Option(help="what the text begins with; - is standard input")] = "",
    symbols: Annotated[int, typer.Option(min=1, help="how many symbols follow")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="below 1 is bolder, 0 takes the likeliest")] = 1.0,
    top_k: Annotated[int | None, typer.Option(min=1, help="draw from so many likeliest symbols only")] = None,
    top_p: Annotated[float | None, typer.Option(help="draw from the likeliest that hold this share only")] = None,
    beam: Annotated[int | None, typer.Option(min=1, help="search the likeliest text, with so many in hand")] = None,
    samples: Annotated[int, typer.Option(min=1, help="how many texts to draw")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="of the draws; the next samples take the next ones")] = 1,
    replica: Annotated[int | None, typer.Option(help="seed of the network's training (its first)")] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Go on with a prompt. The same seed gives the same text.

    Without a prompt the text goes on from the commonest symbol. A text appears while it is drawn.
    """
    drawing = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    if beam is not None and (samples > 1 or drawing != {"temperature": 1.0, "top_k": None, "top_p": None}):
        raise InputError("--beam draws nothing, so it can't be had with --samples, --temperature, --top-k and --top-p")
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

        found, bits = search_likeliest(reading, symbols, beam)
        content |= {"beam": beam, "bits": bits, "texts": [_behind(loaded, prompt, found)]}
        show(content, as_json, [prompt + content["texts"][0]])
        return
    content |= drawing | {"seed": seed, "texts": []}
    for draw_seed in range(seed, seed + samples):
        pieces = _pieces(loaded, prompt, reading, symbols, draw_seed, drawing)
        content["texts"].append("".join(pieces if as_json else _seen(prompt, pieces)))
    if as_json:
        show(content, True, [])


def _as_utf8(argument: str) -> str:
    """An argument read as UTF-8, whatever the locale; bytes that are none stay halves of surrogate pairs."""
    try:
        return argument.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return argument


def _replica(loaded: Any, seed: int | None) -> int:
    """The place of the replica with this seed; the first for None."""
    if seed is None:
        return 0
    if seed not in loaded.model.seeds:
        known = ", ".join(str(each) for each in loaded.model.seeds if each is not None) or "none"
        raise InputError(f"--replica is {seed}, but the seeds of {loaded.name} are {known}; name one of them")
    return int(loaded.model.seeds.index(seed))


def _pieces(loaded: Any, prompt: str, reading: Any, symbols: int, seed: int, drawing: dict[str, Any]) -> Iterator[str]:
    """The drawn text, symbol by symbol; bytes wait until they make a character."""
    import numpy as np

    from seqlab.sampling import drawn

    vocab, decoder = loaded.vocab, getincrementaldecoder("utf-8")("replace")
    for place, index in enumerate(drawn(reading, symbols, np.random.default_rng(seed), **drawing)):
        blank = b" " if vocab.unit == "word" and (prompt or place) else b""
        yield decoder.decode(blank + to_bytes(vocab.to_tokens([index]), vocab.unit))
    yield decoder.decode(b"", final=True)


def _behind(loaded: Any, prompt: str, indices: list[int]) -> str:
    text: str = loaded.continuation_text(indices) if prompt else loaded.vocab.text_of(indices)
    return text


def _seen(prompt: str, pieces: Iterator[str]) -> Iterator[str]:
    """`pieces` as they come, each printed at once, behind the prompt."""
    typer.echo(prompt, nl=False)
    for piece in pieces:
        typer.echo(piece, nl=False)
        yield piece
    typer.echo()
