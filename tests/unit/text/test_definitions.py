"""What config/corpora.yaml may say of a text, and what is refused."""

from pathlib import Path

import pytest
import yaml
from downloads import DESCRIPTION, definition

from seqlab.io.errors import InputError
from seqlab.text.corpora import fetch_corpus
from seqlab.text.definitions import check_corpus, load_corpora

ROOT = Path(__file__).parents[3]
SHIPPED = load_corpora(ROOT / "config" / "corpora.yaml")
GENERATED = DESCRIPTION | {"kind": "builtin", "builtin": "even_process", "length": 10, "seed": 1}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("my.txt", ["it is 'my.txt'", "a block of keys"]),
        (DESCRIPTION, ["key 'kind' is missing"]),
        ({"kind": "path", "path": "a"}, ["key 'title' is missing"]),
        (DESCRIPTION | {"kind": "ftp"}, ["'kind' is 'ftp'", "url, path, files, builtin"]),
        (DESCRIPTION | {"kind": ["url"]}, ["'kind' is ['url']"]),
        (DESCRIPTION | {"kind": "path"}, ["key 'path' is missing"]),
        (DESCRIPTION | {"kind": "files", "files": {"train": "a", "valid": "b"}}, ["'files.test' is missing"]),
        (DESCRIPTION | {"kind": "files", "files": {"train": "a", "valid": 3, "test": "c"}}, ["'files.valid' is 3"]),
        (
            DESCRIPTION | {"kind": "files", "files": {"train": "a", "valid": "b", "test": {"urls": ["https://b/c"]}}},
            ["'files.test.sha256' is missing"],
        ),
        (DESCRIPTION | {"kind": "path", "path": 3}, ["'path' is 3"]),
        (DESCRIPTION | {"kind": "path", "path": "a", "urls": []}, ["key 'urls' is unknown", "sha256"]),
        (definition("http://example.org/a.txt"), ["urls", "http://example.org", "https://"]),
        (definition("file:///etc/hosts"), ["https://"]),
        (definition("https://example.org/a b"), ["https://"]),
        (definition(), ["'urls' is []"]),
        (definition("https://example.org/a", urls="https://example.org/a"), ["a list of addresses"]),
        (definition("https://example.org/a", sha256=12), ["'sha256' is 12", "64", "quotes"]),
        (definition("https://example.org/a", sha256="0" * 63), ["sha256", "64"]),
        (definition("https://example.org/a", max_bytes=-1), ["'max_bytes' is -1"]),
        (DESCRIPTION | {"kind": "builtin", "builtin": "perl_docs"}, ["'perl_docs'", "python_docs, markov_chain"]),
        (DESCRIPTION | {"kind": "builtin", "builtin": ["x"]}, ["'builtin' is ['x']"]),
        (DESCRIPTION | {"kind": "builtin", "builtin": "python_docs", "max_characters": 0}, ["'max_characters' is 0"]),
        (DESCRIPTION | {"kind": "builtin", "builtin": "python_docs", "seed": 1}, ["key 'seed' is unknown"]),
        (GENERATED | {"length": "10"}, ["'length' is '10'"]),
        (GENERATED | {"seed": None}, ["'seed' is None"]),
        (GENERATED | {"settings": [1]}, ["'settings' is [1]"]),
        (GENERATED | {"settings": {"probability": 7}}, ["corpus my", "probability is 7"]),
    ],
)
def test_wrong_definitions_are_named(tmp_path, wrong, words):
    with pytest.raises(InputError) as caught:
        fetch_corpus("my", wrong, tmp_path / "raw.txt")
    assert all(word in str(caught.value) for word in ["corpus my", *words]), caught.value
    assert not (tmp_path / "raw.txt").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", 7, None])
def test_names_of_corpora_are_names_of_folders(name):
    with pytest.raises(InputError, match="names a corpus"):
        check_corpus(name, GENERATED)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": None}, "'title' is None"),
        ({"title": "two\nlines"}, "one line"),
        ({"licence": ""}, "'licence' is ''"),
        ({"cleaning": "lower"}, "'cleaning' is 'lower'; it must be one of letters, whitespace, none"),
        ({"units": "char"}, "'units' is 'char'"),
        ({"units": ["morpheme"]}, "units.0' is 'morpheme'; .*char, word"),
        ({"colour": "red"}, "key 'colour' is unknown"),
    ],
)
def test_wrong_descriptions_are_named(tmp_path, change, words):
    path = tmp_path / "corpora.yaml"
    path.write_text(yaml.safe_dump({"my": SHIPPED["brackets"] | change}))
    with pytest.raises(InputError, match=rf"corpora.yaml: corpus my: .*{words}"):
        load_corpora(path)


@pytest.mark.parametrize(("content", "words"), [(b"", "no corpora"), (b"a: [", "not valid YAML"), (b"\xff", "YAML")])
def test_files_that_are_no_list_of_corpora(tmp_path, content, words):
    (tmp_path / "corpora.yaml").write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_corpora(tmp_path / "corpora.yaml")
