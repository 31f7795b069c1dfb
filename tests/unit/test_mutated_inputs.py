"""Texts, series and ARPA files with something done to them: each is taken, or ends with its one sentence.

SEQLAB_FUZZED says how many of each kind hypothesis makes, SEQLAB_SEED from which seed; the seed is printed.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from arpa_files import LMPLZ, SRILM
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.runs import SPLIT_NAMES
from seqlab.ngram.arpa import ESCAPED_HEADER, read_arpa, write_arpa
from seqlab.series.reading.columns import read_columns
from seqlab.series.series import build_series
from seqlab.series.splits import prepare_series
from seqlab.text.checks import check_clean, check_raw, check_splits, check_unit
from seqlab.text.cleaning import CLEANING_FUNCTIONS, apply_cleaning
from seqlab.text.reading import check_text
from seqlab.text.splits import cut_text, describe_splits
from seqlab.text.tokens import UNITS
from seqlab.text.vocab import Vocab

FUZZED = int(os.environ.get("SEQLAB_FUZZED", "150"))
SEED = int(os.environ.get("SEQLAB_SEED", "1"))
FUZZ = settings(max_examples=FUZZED, deadline=None, suppress_health_check=list(HealthCheck), database=None)
SHARES = {"train": 0.5, "valid": 0.2, "test": 0.3}
ODD = [
    *"\"'#;,\t|\n\r \\",
    "\r\n",
    "\n\n",
    '"\n',
    "sep=;\n",
    "\ufeff",
    "\0",
    "\u2028",
    "\v",
    "\x1c",
    "-",
    "+",
    ".",
    "e9",
    "1e999",
]
ODD += [
    "NaN",
    "inf",
    "-99",
    "1_0",
    "\u0661",
    "1,213",
    "1.213",
    "1.234,5",
    "+02:00",
    "Z",
    "24:00",
    "2024-02-30",
    "9" * 40,
]
ODD += [
    "<unk>",
    "<UNK>",
    "<s>",
    "</s>",
    "<0x0A>",
    "<0x3C>",
    "\u00ad",
    "\u200b",
    "\U0001fae8",
    "\U000e1000",
    "<html>",
    "\ud800",
]


@st.composite
def mutated(draw: st.DrawFn, bases: list[str]) -> bytes:
    """One of `bases` in which up to four stretches are missing, twice, elsewhere, or replaced by something odd."""
    text = draw(st.sampled_from(bases))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stretch = text[start : start + draw(st.sampled_from([0, 1, 3, 10, 60]))]
        new = draw(st.sampled_from([*ODD, "", stretch * 2, stretch[::-1]]) | st.text(max_size=5))
        text = text[:start] + new + text[start + len(stretch) :]
    data = text.encode("utf-8", "surrogatepass")
    return draw(st.sampled_from([data, data, data, data + b"\xff", data[:-1]]))


def tables() -> list[str]:
    """Small tables in many dialects."""
    values = np.random.default_rng(1).standard_normal(40)
    times = {
        "t": [str(t) for t in range(40)],
        "day": [str(datetime(2024, 2, 1) + timedelta(days=t))[:10] for t in range(40)],
        "stamp": [(datetime(2024, 2, 1) + timedelta(seconds=t / 50)).isoformat() + "+01:00" for t in range(40)],
        "compact": [(datetime(2024, 2, 1) + timedelta(days=t)).strftime("%Y%m%d") for t in range(40)],
        "epoch": [str(1714564800 + 3600 * t) for t in range(40)],
        "first": [(datetime(2024, 2, 1) + timedelta(hours=t)).strftime("%d.%m.%Y %H:%M") for t in range(40)],
    }
    made = ["value\n" + "".join(f"{value:.3f}\n" for value in values)]
    for name, index in times.items():
        for delimiter in ",;\t":
            for number in ("{:.3f}", '"{:.3f}"', "{:.1e}", '"{:,.2f}"'):
                rows = [
                    f"{t}{delimiter}{number.format(1000 * x)}{delimiter}ok" for t, x in zip(index, values, strict=True)
                ]
                made.append("\n".join([f"{name}{delimiter}value{delimiter}remark", *rows, ""]))
    made += [f"# made\nsep=;\n{table}" for table in made[-4:]]
    return [
        *made,
        "# a\n# b,c\n",
        "sep=;\n",
        "value\n1\n2\n",
        "day;value\n1;1,213\n2;1.5\n",
        '"day";"value"\n"1";"2"\n',
        "",
    ]


def series(data: bytes, folder: Path) -> None:
    """What becomes of a series: it is read, with and without its name and mark, and prepared."""
    path = folder / "my.csv"
    path.write_bytes(data)
    read_columns(path, ["value"], gaps=True)
    block = {"kind": "csv", "path": str(path), "column": "value"}
    prepared = prepare_series("my", build_series("my", block), block, SHARES, {"order": 2, "horizon": 2, "steps": 2})
    assert np.isfinite(prepared.scaled).all()


def text(data: bytes, folder: Path) -> None:
    """What becomes of a text, in every unit and cleaning, up to its ids."""
    raw = check_text(data, "my.txt")
    check_raw(raw)
    for cleaning in CLEANING_FUNCTIONS:
        cleaned = apply_cleaning(raw, cleaning, "my.txt")
        check_clean(cleaned)
        for unit in UNITS[:3]:
            tokens, segments = cut_text(cleaned, unit, SHARES)
            vocab = Vocab([token for start, stop in segments["train"] for token in tokens[start:stop]], unit=unit)
            ids = vocab.encode(tokens)
            splits = describe_splits("contiguous", segments, ids, tokens, unit)
            check_unit(cleaned, vocab)
            check_splits({n: [ids[a:b] for a, b in segments[n]] for n in SPLIT_NAMES}, vocab.tokens, unit)
            unknown = sum(token not in vocab for start, stop in segments["test"] for token in tokens[start + 1 : stop])
            assert splits["splits"]["test"]["unknown"] == unknown


def arpa(data: bytes, folder: Path) -> None:
    """What becomes of an ARPA file: it is read, and where it knows no lines written and read again."""
    (folder / "my.arpa").write_bytes(data)
    model, tokens, line_start = read_arpa(folder / "my.arpa")
    if line_start is None:
        write_arpa(folder / "again.arpa", model, tokens)
        assert read_arpa(folder / "again.arpa")[1] == tokens


WORDS = "".join(
    f"The traveller was {word} to us in line {n}.\n"
    for n, word in enumerate(["so", "it", "will", "be", "he", "or", "I"] * 9)
)
STREAM = LMPLZ.replace("-0.18987964\tb </s>\n-0.18987964\t<s> a\n", "").replace("ngram 2=3", "ngram 2=1")
KINDS: dict[str, tuple[Callable[[bytes, Path], None], list[str]]] = {
    "series": (series, tables()),
    "text": (text, [WORDS, WORDS.replace("\n", " <unk> "), "今天天气很好。" * 30, "</s>\n<s>".join(WORDS.split("\n"))]),
    "arpa": (
        arpa,
        [LMPLZ, SRILM, STREAM, f"{ESCAPED_HEADER.decode()}\n{STREAM}", f"{ESCAPED_HEADER.decode()}\n{LMPLZ}"],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_inputs_are_taken_or_end_with_a_sentence(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check, bases = KINDS[kind]
    ended = Counter[str]()

    @seed(SEED)
    @FUZZ
    @given(mutated(bases))
    def fuzz(data: bytes) -> None:
        try:
            check(data, tmp_path)
        except InputError as error:
            assert 10 < len(str(error)) < 1500 and "\n" not in str(error).replace(str(tmp_path), "")
            ended["refused"] += 1
        else:
            ended["taken"] += 1

    fuzz()
    assert ended["refused"] and ended["taken"]
    with capsys.disabled():
        print(f"\n{ended.total()} mutated inputs of kind {kind} from seed {SEED}: {dict(ended)}, no traceback", end="")
