"""The card of a run, written and read."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seqlab.cards import KEYS, read_card, write_card
from seqlab.errors import InputError
from seqlab.files import SEAL

CARD = {
    "corpus": "time_machine",
    "unit": "char",
    "family": "rnn",
    "model": "lstm-1x64",
    "settings": {"cell": "lstm", "layers": 1, "hidden": 64, "learning_rate": 0.004},
    "seeds": [1, 2],
    "data": {"ids": "a" * 64, "splits": "b" * 64, "vocab": "1" * 64},
}
printable = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "))
settings = st.dictionaries(
    printable.filter(lambda key: key not in CARD["settings"]),
    st.booleans() | st.integers() | st.floats(allow_nan=False) | printable | st.none(),
)


@given(settings)
def test_a_card_survives_the_round_trip(tmp_path_factory, chosen):
    path = tmp_path_factory.getbasetemp() / "card.yaml"
    write_card(path, CARD | {"settings": CARD["settings"] | chosen})
    assert read_card(path) == CARD | {"settings": CARD["settings"] | chosen}


def test_the_same_card_is_the_same_file_whatever_the_order_of_its_keys(tmp_path):
    write_card(tmp_path / "one.yaml", CARD)
    write_card(tmp_path / "other.yaml", dict(reversed(CARD.items())))
    assert (tmp_path / "one.yaml").read_bytes() == (tmp_path / "other.yaml").read_bytes()


def test_keys_stand_in_the_order_of_the_contract(tmp_path):
    write_card(tmp_path / "card.yaml", CARD)
    assert tuple(yaml.safe_load((tmp_path / "card.yaml").read_text(encoding="utf-8"))) == (SEAL, *KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_a_card_that_lacks_a_key_is_refused(tmp_path, key):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump({name: CARD[name] for name in KEYS if name != key}), encoding="utf-8")
    with pytest.raises(InputError, match=r"card\.yaml is not a run card with the keys corpus, unit"):
        read_card(path)


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"corpus: [", b"\xff\xfe", b"a: 1\n"])
def test_what_is_no_card_is_refused(tmp_path, content):
    path = tmp_path / "card.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"card\.yaml is not a run card"):
        read_card(path)


def test_a_card_with_a_further_key_is_refused(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(CARD | {"more": 1}), encoding="utf-8")
    with pytest.raises(InputError, match="is not a run card"):
        read_card(path)


def test_an_incomplete_card_is_not_written(tmp_path):
    with pytest.raises(KeyError):
        write_card(tmp_path / "card.yaml", {"corpus": "time_machine"})
    assert list(tmp_path.iterdir()) == []
