"""Print the test figures of a models.csv as a Markdown table: python tools/table.py PATH."""

import sys

import pandas as pd

from seqlab.io.errors import InputError, command
from seqlab.report.style import deviation, number
from seqlab.report.tables import read_models


def figure(row: "pd.Series[float]", name: str) -> str:
    """A figure with its standard deviation over seeds."""
    spread = row[f"{name}_std"]
    if row[name] == float("inf"):
        return f"∞ ({row['zero_probability']:,} impossible, {row['zero_probability'] / row['symbols']:.2%})"
    return number(row[name]) + (f" ± {deviation(spread, row[name])}" if spread == spread else "")


@command
def main() -> None:
    if len(sys.argv) != 2:
        raise InputError("give the path of one models.csv")
    models = read_models(sys.argv[1])
    valid = models[models["split"] == "valid"].set_index("model")
    pruned = models["pruning_loss"].notna().any()
    heads = ["model", "parameters", "valid perplexity", "test perplexity", "bits per character", "unknown", "seconds"]
    heads += ["bits per symbol lost by pruning"] if pruned else []
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for _, row in models[models["split"] == "test"].iterrows():
        cells = [
            row["model"],
            f"{row['parameters']:,}" if row["parameters"] else "",
            number(valid.loc[row["model"], "perplexity"]),
        ]
        cells += [
            figure(row, "perplexity"),
            figure(row, "bits_per_char"),
            f"{row['unknown'] / row['symbols']:.1%}",
            f"{row['train_seconds']:.0f}",
        ]
        if pruned:
            cells.append(f"{row['pruning_loss']:+.4f}" if row["pruned_from"] else "")
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
