"""A text of the user's, named by its path, becomes a corpus."""

from pathlib import Path

import pytest

from seqlab.configuration import (
    define_corpus,
    insert_paths,
    list_local_texts,
)
from seqlab.io.errors import InputError
from seqlab.io.runs import SPLIT_NAMES
from seqlab.text.definitions import check_corpus, load_corpora

ROOT = Path(__file__).parents[2]
CORPORA = load_corpora(ROOT / "config/corpora.yaml")


def test_a_text_that_is_neither_a_corpus_nor_a_file_is_refused():
    with pytest.raises(InputError, match=r"'no/such.txt' is neither a file, .*folder .*name in .*time_machine"):
        define_corpus("no/such.txt", None, CORPORA)


def test_a_text_by_name_is_that_corpus():
    assert define_corpus("markov_chain", None, CORPORA) == (["markov_chain"], CORPORA)


def test_paths_may_begin_in_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "my.txt").write_text("text")
    monkeypatch.setenv("HOME", str(tmp_path))
    (name,), corpora = define_corpus("~/my.txt", None, CORPORA)
    assert corpora[name]["path"] == str(tmp_path / "my.txt")
    assert list_local_texts({"kind": "path", "path": "~/my.txt"}) == [str(tmp_path / "my.txt")]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("novel.txt", "novel"),
        ("Mein Buch (2. Auflage).txt", "Mein_Buch_2_Auflage"),
        ("markov_chain.txt", "texts_markov_chain"),
        ("書.txt", "書"),
        ("….txt", "text"),
        ("-draft.txt", "draft"),
        ("n" * 200 + ".txt", "n" * 60),
    ],
)
def test_a_text_by_path_becomes_a_corpus_of_a_name_that_can_be_a_folder(tmp_path, file, expected):
    path = tmp_path / "texts" / file
    path.parent.mkdir()
    path.write_text("text", encoding="utf-8")
    (name,), corpora = define_corpus(str(path), None, CORPORA)
    assert name == expected
    check_corpus(name, corpora[name])


def test_a_text_by_path_leaves_the_other_corpora_as_they_are(tmp_path):
    path = tmp_path / "markov_chain.txt"
    path.write_text("text", encoding="utf-8")
    (name,), corpora = define_corpus(str(path), None, CORPORA)
    assert {key: block for key, block in corpora.items() if key != name} == CORPORA


def test_a_folder_of_three_files_becomes_a_corpus_of_files(tmp_path):
    folder = tmp_path / "My corpus"
    folder.mkdir()
    for part in ("train", "valid"):
        (folder / f"{part}.txt").write_text(part)
    with pytest.raises(InputError, match=r"nor a folder with train.txt, valid.txt and test.txt"):
        define_corpus(str(folder), None, CORPORA)
    (folder / "test.txt").write_text("test")
    (name,), corpora = define_corpus(str(folder), "none", CORPORA)
    assert (name, corpora[name]["kind"], corpora[name]["cleaning"]) == ("My_corpus", "files", "none")
    check_corpus(name, corpora[name])
    assert list_local_texts(corpora[name]) == [str(folder / f"{part}.txt") for part in SPLIT_NAMES]


@pytest.mark.parametrize(
    "definition",
    [
        {"kind": "path", "path": "my.txt"},
        {"kind": "files", "files": {"train": "a", "valid": {"urls": ["https://b"]}, "test": "c"}},
        {"kind": "builtin", "builtin": "python_docs"},
    ],
)
def test_paths_are_taken_out_of_a_definition_and_put_in_again(definition):
    texts = list_local_texts(definition)
    without = insert_paths(definition, None)
    assert list_local_texts(without) == ["" for _ in texts]
    assert insert_paths(without, texts) == definition


@pytest.mark.parametrize(("given", "used"), [(None, "whitespace"), ("letters", "letters")])
def test_cleaning_of_a_text_by_path(tmp_path, given, used):
    path = tmp_path / "novel.txt"
    path.write_text("text", encoding="utf-8")
    (name,), corpora = define_corpus(str(path), given, CORPORA)
    assert corpora[name]["cleaning"] == used
