"""From a text to the sequence of its tokens."""

from collections.abc import Sequence

from seqlab.io.errors import InputError
from seqlab.text.bpe import BytePairs, Merge

UNITS = ("char", "word", "byte", "bpe")
OF_BYTES = ("byte", "bpe")  # units whose tokens hold bytes, each as the character of that number


def tokenize(text: str, unit: str = "char", merges: Sequence[Merge] = ()) -> list[str]:
    """The characters of `text`, its words cut at white space, the bytes of its UTF-8, or these merged to pieces by the
    `merges` of a byte-pair encoding (module section 4, step 2).

    A byte is written as the character of that number, so that every token is a text. Raises InputError for another
    unit.
    """
    if unit == "char":
        return list(text)
    if unit == "word":
        return text.split()
    if unit == "byte":
        return list(text.encode("utf-8").decode("latin-1"))
    if unit == "bpe":
        return BytePairs(merges).pieces(text)
    raise InputError(f"unit is {unit!r}; allowed are {', '.join(UNITS)}")


def to_bytes(tokens: Sequence[str], unit: str) -> bytes:
    """The UTF-8 that `tokens` stand for, words with one blank between them."""
    if unit in OF_BYTES:
        return "".join(tokens).encode("latin-1")
    return ("" if unit == "char" else " ").join(tokens).encode("utf-8")


def join(tokens: Sequence[str], unit: str) -> str:
    """The text that `tokens` stand for; bytes that are no UTF-8 become the replacement character."""
    return to_bytes(tokens, unit).decode("utf-8", errors="replace")
