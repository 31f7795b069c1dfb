"""Mix models linearly: fit the weights on valid, then score valid and test once."""

import argparse

from seqlab.configuration import mixture_candidates
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.runs import read_experiment
from seqlab.ledger.mixture import choose_parts, fit_weights, mixture_bits, stack_replicas
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import read_ledger, write_ledger
from seqlab.ledger.scores import SCORED_SPLITS
from seqlab.text.splits import read_splits


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--experiment", required=True, help="runs.json of the experiment")
    arguments = parser.parse_args()
    card = begin_run(arguments, "mixture", "ids", "splits", "vocab")
    names_of_parts = card["settings"]["parts"]
    runs = {run[-2:]: run for run in read_experiment(arguments.experiment).select(card["corpus"], card["unit"])}
    candidates = [runs[candidate] for candidate in mixture_candidates(names_of_parts, runs)]
    parts = choose_parts(names_of_parts, [read_metrics(run.file("metrics.json")) for run in candidates])
    seeds = [sorted({row["seed"] for row in part["scores"]} - {None}) for part in parts]
    chosen = [runs[part["family"], part["model"]] for part in parts]
    scores = [read_ledger(run)[1] for run in chosen]
    rows = {
        split: stack_replicas([(p["model"], s, bits[split]) for p, s, bits in zip(parts, seeds, scores, strict=True)])
        for split in SCORED_SPLITS
    }
    names, valid = rows["valid"]
    weights = fit_weights(valid)
    note = ", ".join(f"{weight:.3f} {name}" for name, weight in zip(names, weights, strict=True))
    training = {
        "seconds": sum(part["train_seconds"] for part in parts),
        "parameters": sum(
            part["parameters"] * max(1, len(replicas)) for part, replicas in zip(parts, seeds, strict=True)
        ),
        "notes": [f"weights fitted on valid: {note}"],
    }
    bits = {split: mixture_bits(rows[split][1], weights)[None] for split in SCORED_SPLITS}
    fitted = dict(zip(names, weights.tolist(), strict=True))
    write_ledger(arguments.folder, read_splits(arguments.splits), bits, training, weights=fitted)


if __name__ == "__main__":
    main()
