"""Tokens of a text, and the text of tokens."""

from collections.abc import Sequence

from seqlab.io.errors import InputError
from seqlab.text.bpe import BytePairs, Merge

UNITS = ("char", "word", "byte", "bpe")
BYTE_UNITS = ("byte", "bpe")  # units whose tokens are bytes, written as the characters of their numbers


def tokenize(text: str, unit: str = "char", merges: Sequence[Merge] = ()) -> list[str]:
    """Split `text` into characters, words at white space, bytes of its UTF-8, or pieces by the `merges` of a byte-pair
    encoding (module section 4, step 2).

    A byte is the character of its number, so that every token is a string. Raises InputError for another unit.
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
    """Return the UTF-8 of `tokens`, words with one blank between them."""
    if unit in BYTE_UNITS:
        return "".join(tokens).encode("latin-1")
    return ("" if unit == "char" else " ").join(tokens).encode("utf-8")


def join_tokens(tokens: Sequence[str], unit: str) -> str:
    """Return the text of `tokens`; bytes that are not UTF-8 become the replacement character."""
    return to_bytes(tokens, unit).decode("utf-8", errors="replace")
