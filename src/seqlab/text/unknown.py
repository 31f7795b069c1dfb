"""The symbols of valid and test that a vocabulary lacks, and the words that are most like them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from seqlab.io.files import damaged, read_json
from seqlab.text.tokens import UNITS
from seqlab.text.vocab import Vocab


def unknown_symbols(unit: str, tokens: Sequence[str], vocab: Vocab, splits: dict[str, Any]) -> dict[str, Any]:
    """The content of unknown.json (docs/files.md) for a text of `tokens` with these `splits`."""
    ranges = {name: split["segments"] for name, split in splits["splits"].items()}
    found = {
        name: {
            "tokens": [
                token for start, stop in ranges[name] for token in tokens[start + 1 : stop] if token not in vocab
            ],
            "characters": splits["splits"][name]["characters"],
        }
        for name in ("valid", "test")
    }
    asked = unit == "word" and any(split["tokens"] for split in found.values())
    train = (token for start, stop in ranges["train"] for token in tokens[start:stop])
    return {"unit": unit, "rare": rare_words(train, vocab) if asked else [], "splits": found}


def rare_words(train: Iterable[str], vocab: Vocab) -> list[str]:
    """The words of train that the vocabulary lacks; where it has them all, every word once.

    Rare words are like those that are unknown, more so than frequent ones.
    """
    counts = Counter(train)
    return [word for word, count in counts.items() for _ in range(count) if word not in vocab] or sorted(counts)


def read_unknown(path: str | Path) -> dict[str, Any]:
    """The content of an unknown.json; InputError where it is something else."""
    content = read_json(path)
    splits = content.get("splits")
    splits = splits if isinstance(splits, dict) and set(splits) == {"valid", "test"} else {}
    kinds = [
        isinstance(split, dict) and isinstance(split.get("tokens"), list) and isinstance(split.get("characters"), int)
        for split in splits.values()
    ]
    if content.get("unit") not in UNITS or not isinstance(content.get("rare"), list) or not (kinds and all(kinds)):
        raise damaged(path, "it does not hold the unknown symbols of valid and test")
    return content
