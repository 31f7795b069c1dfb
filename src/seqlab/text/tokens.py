"""From a text to the sequence of its tokens."""

from seqlab.errors import InputError

UNITS = ("char", "word")


def tokenize(text: str, unit: str = "char") -> list[str]:
    """The characters of `text`, or its words cut at white space (module section 4, step 2).

    Raises InputError for a unit that is neither "char" nor "word".
    """
    if unit == "char":
        return list(text)
    if unit == "word":
        return text.split()
    raise InputError(f"unit is {unit!r}; allowed are {', '.join(UNITS)}")


def join(tokens: list[str], unit: str) -> str:
    """The text that `tokens` stand for, words with one blank between them."""
    return ("" if unit == "char" else " ").join(tokens)
