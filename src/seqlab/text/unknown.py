"""Unknown symbols of valid and test, and rare words of train."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from seqlab.io.files import damaged, read_json
from seqlab.text.tokens import UNITS
from seqlab.text.vocab import Vocab


def find_unknown_symbols(unit: str, tokens: Sequence[str], vocab: Vocab, splits: dict[str, Any]) -> dict[str, Any]:
    """Return the content of unknown.json (docs/files.md) for a text of `tokens` with these `splits`."""
    ranges = {name: split["segments"] for name, split in splits["splits"].items()}
    unknown = {
        name: {
            "tokens": [
                token for start, stop in ranges[name] for token in tokens[start + 1 : stop] if token not in vocab
            ],
            "characters": splits["splits"][name]["characters"],
        }
        for name in ("valid", "test")
    }
    has_unknown = unit == "word" and any(split["tokens"] for split in unknown.values())
    train = (token for start, stop in ranges["train"] for token in tokens[start:stop])
    return {"unit": unit, "rare": list_rare_words(train, vocab) if has_unknown else [], "splits": unknown}


def list_rare_words(train: Iterable[str], vocab: Vocab) -> list[str]:
    """Return the words of train that the vocabulary lacks; where it has them all, every word once.

    Rare words resemble unknown words more than frequent ones do.
    """
    counts = Counter(train)
    return [word for word, count in counts.items() for _ in range(count) if word not in vocab] or sorted(counts)


def read_unknown(path: str | Path) -> dict[str, Any]:
    """Read unknown.json; InputError where it has another content."""
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
