"""Merge the counts of all shards."""

import argparse

from seqlab.io.errors import command
from seqlab.ngram.shards import merge_shards
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", help="the folder of every shard")
    parser.add_argument("--vocab", required=True, help="vocab.json of the corpus and unit")
    parser.add_argument("--order", required=True, type=int, help="highest counted order")
    parser.add_argument("--memory", required=True, type=int, help="memory limit in megabytes")
    parser.add_argument("--counts", required=True, help="folder to write")
    arguments = parser.parse_args()
    sizes = merge_shards(
        arguments.counts, arguments.parts, arguments.order, len(Vocab.load(arguments.vocab)), arguments.memory
    )
    for order, size in enumerate(sizes, start=1):
        print(f"order {order}: {size:,} different n-grams")


if __name__ == "__main__":
    main()
