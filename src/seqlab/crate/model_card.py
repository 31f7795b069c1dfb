"""Model cards of champions: Markdown with the header of the Hugging Face Hub."""

from typing import Any

import yaml

from seqlab.ledger.perplexity import FIGURE_NAMES, read_metrics
from seqlab.questions.verdicts import find_leader, find_verdict
from seqlab.report.style import format_number
from seqlab.tracking.champions.registry import SERVED_FILES, Champion
from seqlab.tracking.language_models import flatten_settings
from seqlab.tracking.page import BEST_VERDICT, format_command, read_place_verdicts

FAMILY_NAMES = {"ngram": "n-gram model", "rnn": "recurrent network"}
SCORED_FIGURES = {"perplexity": "perplexity", "bits_per_char": "bits per character", "bits_per_symbol": "bits"}


def compose_model_card(champion: Champion, folder: str, definition: dict[str, Any], licence: str) -> str:
    """Return the model card of `champion`: what it is, its scores and verdict, its training, use and limits.

    `folder` is that of its run in the crate, `definition` the block of its corpus, `licence` that of the crate.
    """
    run, metrics = champion.run, read_metrics(champion.run.file("metrics.json"))
    rows = {row["split"]: row for row in metrics["scores"] if row["seed"] == champion.seed}
    header = yaml.safe_dump(_compose_header(champion, rows["test"], definition, licence), sort_keys=False, width=10_000)
    seed = "" if champion.seed is None else f", seed {champion.seed}"
    lines = [f"---\n{header}---\n# {champion.name}"]
    lines.append(
        f"The best {FAMILY_NAMES[run.family]} on validation of {run.corpus} by {run.unit} in the experiment "
        f"{champion.experiment.name}: {run.model}{seed}. The text is: {definition['title']} (licence: "
        f"{definition['licence']})."
    )
    lines.append(f"## Scores\n{_tabulate_scores(rows)}")
    lines.append(_describe_verdict(champion))
    settings = flatten_settings(champion.card["settings"])
    table = "".join(f"| {name} | {value} |\n" for name, value in settings.items())
    lines.append(f"## Training\n{metrics['parameters']:,} parameters, {metrics['train_seconds']:.1f} s.")
    lines.append(f"| setting | value |\n|---|---|\n{table}".rstrip())
    lines.append(format_command(champion.experiment.command).rstrip())
    lines.append(f"## Use\n{_describe_use(champion, folder)}")
    lines.append(
        "## Limits\nIt knows the symbols of its text only, and repeats what is in it. It was chosen on the validation "
        "split and scored once on test; scores on other texts are higher. It is meant for the study of language "
        "models, not for writing texts."
    )
    return "\n\n".join(lines) + "\n"


def _compose_header(
    champion: Champion, test: dict[str, Any], definition: dict[str, Any], licence: str
) -> dict[str, Any]:
    """Return the YAML header: licence, tags and the scores on test as the model index of the Hugging Face Hub."""
    run = champion.run
    scores = [{"type": name, "name": title, "value": test[name]} for name, title in SCORED_FIGURES.items()]
    result = {
        "task": {"type": "text-generation"},
        "dataset": {"type": run.corpus, "name": f"{definition['title']}, by {run.unit}", "split": "test"},
        "metrics": scores,
    }
    return {
        "license": licence.lower() if "://" not in licence else "other",
        "library_name": "seqlab",
        "pipeline_tag": "text-generation",
        "tags": ["language-model", run.family, run.unit],
        "metrics": ["perplexity"],
        "model-index": [{"name": champion.name, "results": [result]}],
    }


def _tabulate_scores(rows: dict[str, dict[str, Any]]) -> str:
    names = {"valid": "validation", "test": "test"}
    head = "| split | " + " | ".join(name.replace("_", " ") for name in FIGURE_NAMES) + " |"
    lines = [head, "|---" * (len(FIGURE_NAMES) + 1) + "|"]
    for split, title in names.items():
        figures = (format_number(rows[split][name]) for name in FIGURE_NAMES)
        lines.append(f"| {title} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _describe_verdict(champion: Champion) -> str:
    verdicts, model = read_place_verdicts(champion.run.place), champion.run.model
    if model == find_leader(verdicts):
        return f"{model} is {BEST_VERDICT} of all models of the experiment."
    verdict = find_verdict(verdicts, model)
    return f"{model} is {verdict.in_words}." if verdict and verdict.is_known else f"{model} has no verdict."


def _describe_use(champion: Champion, folder: str) -> str:
    if champion.run.family == "ngram":
        return (
            "The model is not in the crate, because passages of its text can be read from it; the command above makes "
            "it again."
        )
    return (
        f"{' and '.join(SERVED_FILES[champion.run.family])} are in {folder}, with the weights of every seed:\n\n"
        f"    seqlab generate --model {folder}\n    seqlab score TEXT --model {folder}"
    )
