"""Count the n-grams of one shard of the train split."""

import argparse

from seqlab.io.errors import command
from seqlab.ngram.shards import count_shard, parse_shard
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--order", required=True, type=int, help="highest order to count")
    parser.add_argument("--shard", required=True, help="number of the shard, such as 2-of-3")
    parser.add_argument("--memory", required=True, type=int, help="memory limit in megabytes")
    parser.add_argument("--parts", required=True, help="folder to write")
    arguments = parser.parse_args()
    train = read_segments(arguments.ids, arguments.splits)["train"]
    parts = count_shard(
        arguments.parts,
        train,
        arguments.order,
        len(Vocab.load(arguments.vocab)),
        *parse_shard(arguments.shard),
        arguments.memory,
    )
    print(f"shard {arguments.shard} counted in {parts} parts")


if __name__ == "__main__":
    main()
