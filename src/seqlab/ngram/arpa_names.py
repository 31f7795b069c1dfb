"""Escaping of words in ARPA files of seqlab.

White space and control characters inside a word are written as their code point, a blank as `<0x20>` and a line end as
`<0x0A>`, and the `<` of a word that looks like such an escape or like a name with a meaning of its own (`<unk>`, `<s>`,
`</s>`) as `<0x3C>`.
"""

import re

from seqlab.text.vocab import UNKNOWN

LINE_START, LINE_END = "<s>", "</s>"
UNKNOWNS = (UNKNOWN, "<UNK>")  # both are the unknown word to KenLM
ESCAPED_HEADER = b"# seqlab escapes words: <0xNN> is the character of that code point"  # KenLM skips lines with #
HIDDEN_PATTERN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # white space, control characters, half surrogates
# escapes and reserved names
LOOKALIKE_PATTERN = re.compile(r"<(?=0x[0-9A-F]{2,4}>)|\A<(?=(?:unk|s|/s)>\Z)", re.IGNORECASE)


def arpa_name(token: str) -> str:
    """Return the word of `token` in an ARPA file of seqlab: `<0xNN>`, a code point in hexadecimal, replaces white
    space, control characters, and the `<` of words that look like such an escape or a reserved name.
    """
    return HIDDEN_PATTERN.sub(_escape, LOOKALIKE_PATTERN.sub(_escape, token))


def _escape(match: re.Match[str]) -> str:
    return f"<0x{ord(match[0]):02X}>"


def token_of(name: str) -> str:
    """Return the token whose `arpa_name` is `name`."""
    return re.sub(r"<0x([0-9A-F]{2,4})>", lambda match: chr(int(match[1], 16)), name)
