"""ARPA files as other tools write them."""

from pathlib import Path

from seqlab.ngram.arpa import read_arpa
from seqlab.ngram.model import BackoffModel

# What lmplz -o 2 --discount_fallback 0.5 1 1.5 makes of the one line "a b". Each of a, b, </s> follows one word, so
# 1/2 of 1 is taken from each: p(a) = 1/2 / 3 + 1/2 * 1/4 = 7/24, p(<unk>) = 1/2 * 1/4, p(b | a) = 1/2 + 1/2 * 7/24.
LMPLZ = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-0.90308999\t<unk>\t0
0\t<s>\t-0.30103
-0.53511320\t</s>\t0
-0.53511320\ta\t-0.30103
-0.53511320\tb\t-0.30103

\\2-grams:
-0.18987964\tb </s>
-0.18987964\t<s> a
-0.18987964\ta b

\\end\\
"""
# The habits of SRILM: a comment, tabs or blanks, no back-off where it is 1, -99 for <s>, weights above 1, no <unk>.
SRILM = """made by hand

\\data\\
ngram  1=5
ngram  2=3
ngram  3=2

\\1-grams:
-1.0\tb
-0.5\t</s>
-99\t<s>\t-0.25
-0.75\ta\t0.125
-2.0  c

\\2-grams:
-0.375 <s> a -0.0625
-0.625\ta b\t-1.5
-inf\tb c

\\3-grams:
-0.1875\ta b </s>
-0.3125\t<s> a b\t-7

\\end\\
"""


def read_text(folder: Path, text: str | bytes) -> tuple[BackoffModel, list[str], int | None]:
    path = folder / "model.arpa"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_arpa(path)
