"""Cleaning of raw texts, by name."""

import re
import unicodedata

from seqlab.io.errors import InputError


def clean_text(text: str) -> str:
    """Replace every run of characters other than A to Z by one blank, and lower the case of letters (module section 4).

    The Time Machine becomes 173,428 characters of 27 kinds.
    """
    return re.sub("[^A-Za-z]+", " ", text).lower()


def clean_whitespace(text: str) -> str:
    """Normalise Unicode (NFC) and white space: runs of blanks and of empty lines become one, lines end in a line feed
    without blanks before it.

    No line end is added after the last letter of a text without one.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    stripped = re.sub(r"\n{3,}", "\n\n", text).strip()
    return stripped + "\n" if "\n" in text[len(text.rstrip()) :] else stripped


def keep_text(text: str) -> str:
    """Return the text unchanged, for sources of known entropy and published splits."""
    return text


def write_dos_line_ends(text: str) -> str:
    """Add a byte-order mark and CR LF line ends, as in the War and Peace of published results."""
    return "\ufeff" + text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\n", "\r\n")


CLEANING_FUNCTIONS = {
    "letters": clean_text,
    "whitespace": clean_whitespace,
    "none": keep_text,
    "dos": write_dos_line_ends,
}


def apply_cleaning(text: str, kind: str, where: str) -> str:
    """Clean `text` by `kind`; InputError for an unknown kind or where nothing is left."""
    if kind not in CLEANING_FUNCTIONS:
        raise InputError(f"cleaning is {kind!r} for {where}; allowed are {', '.join(CLEANING_FUNCTIONS)}")
    cleaned = CLEANING_FUNCTIONS[kind](text)
    if not cleaned.replace("\ufeff", "").strip():
        raise InputError(f"{where} is empty after cleaning ({kind}); choose another text or another cleaning")
    return cleaned
