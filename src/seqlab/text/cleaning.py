"""What is done to a raw text before it is cut into tokens."""

import re
import unicodedata

from seqlab.io.errors import InputError


def clean_text(text: str) -> str:
    """Every run of characters other than A to Z becomes one blank, and letters become lower case (module section 4).

    The Time Machine becomes 173,428 characters of 27 kinds.
    """
    return re.sub("[^A-Za-z]+", " ", text).lower()


def clean_whitespace(text: str) -> str:
    """Canonical Unicode (NFC); runs of blanks become one, runs of empty lines one, and lines end in a line feed
    without blanks.

    No symbol is added: a text whose last line does not end, such as one without any line end, ends in its last letter.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    stripped = re.sub(r"\n{3,}", "\n\n", text).strip()
    return stripped + "\n" if "\n" in text[len(text.rstrip()) :] else stripped


def keep(text: str) -> str:
    """The text as it is: sources of known entropy and published splits allow no change."""
    return text


def with_dos_line_ends(text: str) -> str:
    """The text with a byte-order mark in front and CR LF at line ends, as published results on War and Peace had it."""
    return "\ufeff" + text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\n", "\r\n")


CLEANING = {"letters": clean_text, "whitespace": clean_whitespace, "none": keep, "dos": with_dos_line_ends}


def clean(text: str, kind: str, where: str) -> str:
    """`text` cleaned in the way named by `kind`; InputError for an unknown kind or where nothing is left."""
    if kind not in CLEANING:
        raise InputError(f"cleaning is {kind!r} for {where}; allowed are {', '.join(CLEANING)}")
    cleaned = CLEANING[kind](text)
    if not cleaned.replace("\ufeff", "").strip():
        raise InputError(f"{where} holds nothing after cleaning ({kind}); choose another text or another cleaning")
    return cleaned
