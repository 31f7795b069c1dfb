"""Words as indices, against a dictionary of Python."""

import numpy as np
import pytest

from seqlab.ngram.words import WordTable

TEXT = "the  cat\tsat\r\n\non the mat \n naïve the\nlast"


def by_definition(text: str, words: list[str], lines: bool) -> list[int]:
    index = {word: number for number, word in enumerate(words)}
    rows = text.removesuffix("\n").split("\n")
    indices = [
        [index.get(word, 0) for word in row.replace("\r", " ").replace("\t", " ").split(" ") if word] for row in rows
    ]
    return [number for row in indices for number in ([1, *row, 2] if lines else row)]


@pytest.mark.parametrize("lines", [True, False])
def test_words_of_lines_and_of_streams(lines: bool) -> None:
    words = ["", "", "", "the", "mat", "naïve", "absent"]
    table = WordTable.of([word.encode() for word in words])
    assert table.index(TEXT.encode(), lines).tolist() == by_definition(TEXT, words, lines)


def test_a_table_grows_with_the_text_in_the_order_of_the_words() -> None:
    table = WordTable.of([b"", b"", b""])
    for line in TEXT.splitlines(keepends=True):
        table.add(line.encode())
    assert [text.decode() for text in table.texts()[3:]] == ["the", "cat", "sat", "on", "mat", "naïve", "last"]


def test_many_words_are_told_apart() -> None:
    random = np.random.default_rng(1)
    words = [f"w{number}" for number in random.integers(0, 50_000, 60_000)]
    text = "\n".join(" ".join(words[start : start + 9]) for start in range(0, len(words), 9))
    table = WordTable.of([b""])
    table.add(text.encode())
    distinct = list(dict.fromkeys(words))
    assert [found.decode() for found in table.texts()[1:]] == distinct
    number = {word: place for place, word in enumerate(distinct, start=1)}
    assert table.index(text.encode(), lines=False).tolist() == [number[word] for word in words]


def test_marks_are_not_words() -> None:
    table = WordTable.of([b"", b"", b""])
    table.add(b"<s> </s> <unk>\n")
    assert table.number == 6
    assert table.index(b"<s> </s> <unk>\n", lines=True).tolist() == [1, 3, 4, 5, 2]
