"""Mix models linearly: fit the weights on valid, then score valid and test once."""

import argparse
from pathlib import Path

from seqlab.cards import read_card
from seqlab.configuration import mixture_candidates
from seqlab.errors import command
from seqlab.ledger.mixture import chosen_parts, fit_weights, mixture_bits, rows_of
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import record
from seqlab.ledger.scores import SPLITS, read_scores
from seqlab.text.splits import read_splits


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--card", required=True, help="card of the mixture")
    parser.add_argument("--splits", required=True, help="splits.json of the corpus and unit")
    parser.add_argument("--parts", required=True, nargs="+", type=Path, help="metrics.json of what may be a part")
    parser.add_argument("--scores", required=True, help="scores.npz to write")
    parser.add_argument("--metrics", required=True, help="metrics.json to write")
    arguments = parser.parse_args()
    wanted = read_card(arguments.card, "mixture")["settings"]["parts"]
    folders = {
        (path.parent.parent.name, path.parent.name): path.parent for path in arguments.parts
    }  # by family and model
    found = [read_metrics(folders[run] / "metrics.json") for run in mixture_candidates(wanted, folders)]
    parts = chosen_parts(wanted, found)
    seeds = [sorted({row["seed"] for row in part["scores"]} - {None}) for part in parts]
    scores = [read_scores(folders[part["family"], part["model"]] / "scores.npz") for part in parts]
    rows = {
        split: rows_of([(p["model"], s, bits[split]) for p, s, bits in zip(parts, seeds, scores, strict=True)])
        for split in SPLITS
    }
    names, valid = rows["valid"]
    weights = fit_weights(valid)
    told = ", ".join(f"{weight:.3f} {name}" for name, weight in zip(names, weights, strict=True))
    made = {
        "seconds": sum(part["train_seconds"] for part in parts),
        "parameters": sum(part["parameters"] * max(1, len(own)) for part, own in zip(parts, seeds, strict=True)),
        "notes": [f"weights fitted on valid: {told}"],
    }
    bits = {split: mixture_bits(rows[split][1], weights)[None] for split in SPLITS}
    fitted = dict(zip(names, weights.tolist(), strict=True))
    record(
        arguments.card, read_splits(arguments.splits), bits, arguments.scores, arguments.metrics, made, weights=fitted
    )


if __name__ == "__main__":
    main()
