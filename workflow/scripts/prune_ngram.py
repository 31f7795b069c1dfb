"""Make an n-gram model smaller."""

import argparse
import time
from typing import Any

from seqlab.cards import read_card
from seqlab.errors import command, shown
from seqlab.files import damaged, write_json
from seqlab.ledger.record import read_training
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import NgramModel
from seqlab.ngram.pruning import prune_by_count, prune_by_relative_entropy
from seqlab.ngram.shards import read_counts
from seqlab.text.splits import read_ids, read_splits, segments_of


def read_prune(path: str, **data: str) -> dict[str, Any]:
    """How the card in `path` wants the model made smaller; InputError where it does not say."""
    prune = read_card(path, "ngram", **data)["settings"].get("prune")
    numbers = (
        [number for value in prune.values() for number in (value if isinstance(value, list) else [value])]
        if isinstance(prune, dict) and len(prune) == 1 and set(prune) <= {"entropy", "counts"}
        else []
    )
    if not numbers or not all(isinstance(number, int | float) for number in numbers):
        raise damaged(path, f"its setting prune is {shown(prune)}")
    return prune


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "ids", "splits"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--counts", nargs="*", default=[], help="folder of the merged counts, if there is one")
    parser.add_argument("--whole", required=True, help="model.npz that is made smaller")
    parser.add_argument("--whole-training", required=True, help="its training.json")
    parser.add_argument("--name", required=True, help="its name")
    parser.add_argument("--model", required=True, help="model.npz to write")
    parser.add_argument("--training", required=True, help="training.json to write")
    arguments = parser.parse_args()
    prune = read_prune(arguments.card, ids=arguments.ids, splits=arguments.splits)
    started = time.perf_counter()
    whole, training = NgramModel.load(arguments.whole), read_training(arguments.whole_training)
    if "entropy" in prune:
        made = prune_by_relative_entropy(whole, prune["entropy"])
    else:
        if arguments.counts:
            tables = read_counts(arguments.counts[0], whole.order, whole.vocabulary)
        else:
            splits = read_splits(arguments.splits)
            train = segments_of(read_ids(arguments.ids, splits), splits, "train")
            tables = count_ngrams(train, whole.order, whole.vocabulary)
        least = prune["counts"]
        least += [least[-1]] * (whole.order - len(least))
        made = prune_by_count(whole, [table.count for table in tables], least)
    made.save(arguments.model)
    training |= {
        "seconds": round(training["seconds"] + time.perf_counter() - started, 3),  # what it takes from the text on
        "parameters": made.parameters,
        "pruned_from": arguments.name,
    }
    write_json(arguments.training, training)
    print(f"{made.parameters:,} of {whole.parameters:,} n-grams are left")


if __name__ == "__main__":
    main()
