"""Write an n-gram model as ARPA, the format of KenLM and SRILM."""

import argparse

from seqlab.io.errors import command
from seqlab.ngram.arpa import write_arpa
from seqlab.ngram.model import BackoffModel
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--arpa", required=True, help="file to write, compressed if its name ends in .gz")
    arguments = parser.parse_args()
    model = BackoffModel.load(arguments.model)
    write_arpa(arguments.arpa, model, Vocab.load(arguments.vocab).tokens)
    print(f"{model.parameters:,} n-grams written")


if __name__ == "__main__":
    main()
