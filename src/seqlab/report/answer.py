"""Sentences of the report: the best model, its rivals, the known floor and unknown symbols."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from seqlab.fleet.fit import REMEDIES, UNDERFITTED_COLUMN
from seqlab.questions.verdicts import TIED, Verdict, find_verdict
from seqlab.report.axes import label_axis
from seqlab.report.style import format_deviation, format_number
from seqlab.report.tables import find_best_model

TRAINED_FAMILIES = {"ngram": "n-gram", "rnn": "recurrent network"}  # families that an experiment should have
# the families that compete for the best model
FAMILY_TITLES = TRAINED_FAMILIES | {"mixture": "mixture", "external": "external model"}
MAX_NAMED_MODELS = 4  # underfitted networks that a sentence names
COST_BUDGETS = {  # column of a cost -> a budget in words
    "parameters": "With no more parameters than {model} ({cost:,}; stored n-grams and weights are unlike things)",
    "train_seconds": "In no more training time than {model} ({cost:,.2f} seconds)",
}


def compose_answer(models: pd.DataFrame, verdicts: Sequence[Verdict], rate: dict[str, float] | None) -> list[str]:
    """Return sentences on the best model and its rivals, chosen on validation and quoted from test."""
    trained = models[models["family"].isin(FAMILY_TITLES)]
    best = find_best_model(trained)
    if best is None:
        return ["No model has a finite perplexity on validation, so there is no best model.", *_floor(rate)]
    row = _test_row(trained, best)
    over = f" over {row['seeds']} seeds" if row["seeds"] > 1 else " from one seed" if row["seeds"] else ""
    bits = "" if math.isinf(row["bits_per_char"]) else f" ({format_number(row['bits_per_char'])} bits per character)"
    sentences = [f"Best model on validation: {best}, test perplexity {format_figure(row, 'perplexity')}{over}{bits}."]
    sentences += describe_underfitted(models, "rnn")
    for family, name in FAMILY_TITLES.items():
        rival = find_best_model(models[models["family"] == family])
        if rival is not None and family != row["family"]:
            other = _test_row(models, rival)
            over = f" over {other['seeds']} seeds" if other["seeds"] > 1 else ""
            figures = f"{format_figure(other, 'perplexity')}{over}{_compared(find_verdict(verdicts, rival))}"
            sentences.append(f"The best {name} (chosen on the validation split), {rival}, has {figures}")
    return sentences + _compare_at_equal_cost(models) + _floor(rate)


class Lead(NamedTuple):
    """Difference of the best model to its `rival` with its 95 % interval; positive where the best is better.

    `measure` are the words after a number, and `form` is its format.
    """

    rival: str
    difference: float
    low: float
    high: float
    is_tied: bool
    measure: str
    form: str = ".4f"


def compose_summary(models: pd.DataFrame, verdicts: Sequence[Verdict]) -> list[str]:
    """Return sentences for a reader in a hurry: the best model, its lead, whether it is settled, its cost, and what to
    run next. Empty where no model has a finite perplexity on validation.
    """
    trained = models[models["family"].isin(FAMILY_TITLES)]
    best = find_best_model(trained)
    if best is None:
        return []
    row = _test_row(trained, best)
    others = trained[trained["family"] != row["family"]]
    rival = find_best_model(others) or find_best_model(trained[trained["model"] != best])
    verdict = find_verdict(verdicts, rival) if rival else None
    underfitted = bool((models[UNDERFITTED_COLUMN] != "").any())
    bits = format_number(row["bits_per_char"])
    networks = models[(models["family"] == "rnn") & (models["split"] == "test")]
    tie = ""
    if verdict is not None and verdict.verdict == TIED:
        tie = (
            "use a longer text or more seeds (rnn.seeds); this test detects a difference of "
            f"{verdict.minimum_detectable:.4f} bits per symbol with a power of 80 %"
        )
    network = find_best_model(models[models["family"] == "rnn"])
    return [
        f"{best} predicts this text best: {bits} bits per character, perplexity {format_number(row['perplexity'])}.",
        _describe_text_lead(rival, verdict, underfitted),
        describe_cost(row),
        f"Next: {recommend_run(networks, network, 'rnn', 'text', underfitted, tie)}.",
    ]


def _describe_text_lead(rival: str | None, verdict: Verdict | None, underfitted: bool) -> str:
    """Return the sentence on the difference of the best model of a text to its `rival`."""
    if rival is None:
        return "There is no other model to compare with."
    if verdict is None or not verdict.is_known:
        return f"Its lead over {rival} is not settled: the two were not compared symbol by symbol."
    bounds = verdict.difference, verdict.low, verdict.high
    return describe_lead(Lead(rival, *bounds, verdict.verdict == TIED, "bits per symbol"), "text", underfitted)


def describe_lead(lead: Lead, subject: str, underfitted: bool) -> str:
    """Return a sentence on a difference, and whether it is settled on the `subject`, a text or a series."""
    if lead.is_tied:
        return (
            f"Its lead over {lead.rival} is not settled: the two are tied, with a difference of "
            f"{lead.difference:{lead.form}} {lead.measure} "
            f"(95 % interval {lead.low:+{lead.form}} to {lead.high:+{lead.form}})."
        )
    low, high = sorted((abs(lead.low), abs(lead.high)))
    word = "better" if lead.difference > 0 else "worse"
    interval = f"95 % interval {low:{lead.form}} to {high:{lead.form}}"
    figures = f"{abs(lead.difference):{lead.form}} {lead.measure} {word} than {lead.rival} ({interval})"
    if underfitted:
        return f"It is {figures}, but this is not settled, because some networks are underfitted."
    return f"It is {figures}, and this is settled on this {subject}."


def describe_cost(row: Mapping[str, Any]) -> str:
    """Return a sentence on the parameters and seconds of training in a row of models.csv."""
    over = f" of {row['seeds']} seeds" if row["seeds"] > 1 else ""
    parameters = f"{row['parameters']:,} parameters" if row["parameters"] else "no parameters of its own"
    seconds = row["train_seconds"]
    return f"It has {parameters}" + (
        "." if math.isnan(seconds) or seconds == 0 else f" and took {seconds:,.1f} s of training{over}."
    )


def recommend_run(
    networks: pd.DataFrame, best: str | None, section: str, subject: str, underfitted: bool, tie: str
) -> str:
    """Return the end of a sentence on the next experiment, after the first of these reasons that holds.

    `networks` has a row for each network, `best` is the best of them on validation, `section` their block in the
    configuration, and `tie` the advice where the best model and its rival are tied, else empty.
    """
    if underfitted:
        return "train the underfitted networks longer or with less regularisation, as said below"
    if tie:
        return tie
    if best is None:
        return f"train a recurrent network ({section}) on this {subject}"
    if (networks["seeds"] == 1).any():
        return f"train the networks from more seeds ({section}.seeds), so that figures have a standard deviation"
    row = networks[networks["model"] == best].iloc[0]
    for axis in ("hidden", "layers"):
        if networks[axis].nunique() > 1 and row[axis] == networks[axis].max():
            return (
                f"try more {label_axis(axis)} ({section}.{axis}); the best network has {row[axis]:g}, the most of all"
            )
    return f"try values of other settings around the best network, {best}"


def describe_underfitted(models: pd.DataFrame, section: str) -> list[str]:
    """Return a sentence on the underfitted networks in a models.csv, which leave its comparison open, and on remedies.

    `section` is the block of the networks in the configuration, rnn or forecast.
    """
    marked = models[models[UNDERFITTED_COLUMN] != ""]
    reasons: dict[str, str] = dict(zip(marked["model"], marked[UNDERFITTED_COLUMN], strict=True))
    if not reasons:
        return []
    names = [f"{model} ({reason})" for model, reason in list(reasons.items())[:MAX_NAMED_MODELS]]
    names += [f"{len(reasons) - MAX_NAMED_MODELS} more"] if len(reasons) > MAX_NAMED_MODELS else []
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    remedies = [f"{reason}: {REMEDIES[reason].format(section=section)}" for reason in sorted({*reasons.values()})]
    count = f"{len(reasons)} networks are" if len(reasons) > 1 else "a network is"
    return [
        f"The comparison is not settled, because {count} underfitted: {listed}. Remedy for {'; for '.join(remedies)}."
    ]


def _compare_at_equal_cost(models: pd.DataFrame) -> list[str]:
    """Return a sentence for each cost on the best n-gram and network within the smaller cost of the best two."""
    best = {family: find_best_model(models[models["family"] == family]) for family in TRAINED_FAMILIES}
    rows = {family: _test_row(models, model) for family, model in best.items() if model is not None}
    if len(rows) < len(TRAINED_FAMILIES):
        return []
    sentences = []
    for cost, budget in COST_BUDGETS.items():
        family, row = min(rows.items(), key=lambda item: float(item[1][cost]))
        (other,) = rows.keys() - {family}
        rival = find_best_model(models[(models["family"] == other) & (models[cost] <= row[cost])])
        limit = budget.format(model=row["model"], cost=row[cost])
        name = TRAINED_FAMILIES[other]
        sentences.append(
            f"{limit}, there is no {name}."
            if rival is None
            else f"{limit}, the best {name} is {rival}, test perplexity "
            f"{format_figure(_test_row(models, rival), 'perplexity')}, against {format_figure(row, 'perplexity')}."
        )
    return sentences


def _compared(verdict: Verdict | None) -> str:
    """Return the end of a sentence about a model: its verdict against the best model."""
    if verdict is None or not verdict.is_known:
        return "."
    power = f"; the test detects a difference of {verdict.minimum_detectable:.4f} with a power of 80 %"
    return f" and is {verdict.in_words}{power if verdict.verdict == TIED else ''}."


def compare_units(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Return the best model on validation for every unit of one text, in figures that can be compared between units."""
    rows = []
    for unit, models in tables.items():
        best = find_best_model(models[models["family"].isin(FAMILY_TITLES)])
        if best is None:
            continue
        row = _test_row(models, best)
        figures = {name: format_number(row[name]) for name in ("bits_per_char", "open_bits_per_char", "bits_per_byte")}
        spelt = row["open_bits_per_char"] / row["bits_per_char"]
        rows.append(
            {"unit": unit, "model": best, "unknown": format_share(row["unknown"], row["symbols"]), **figures}
            | {"bits_per_word": format_number(row["bits_per_word"] * spelt)}
        )
    return rows


def _floor(rate: dict[str, float] | None) -> list[str]:
    if rate is None:
        return []
    floor = format_number(2 ** rate["bits_per_symbol"])
    bits, low, high = (format_number(rate[name]) for name in ("bits_per_symbol", "low", "high"))
    sentence = (
        f"Known floor: perplexity {floor}, the entropy rate of the source ({bits} bits per symbol; 95 % of test texts "
        f"of this length cost between {low} and {high} bits per symbol)."
    )
    return [sentence]


def describe_answers(models: pd.DataFrame, rates: Mapping[str, Any] | None) -> list[str]:
    """Return a sentence on the cost of an answer at best, by chance and under the best network.

    `rates` are those in the metrics of the source; without them there is no sentence.
    """
    if rates is None:
        return []
    floor, chance = format_number(rates["floor"]), format_number(rates["chance"])
    sentence = (
        f"An answer costs {floor} bits at best, and {chance} bits by chance, for a model that does not track the state "
        "of the source"
    )
    best = find_best_model(models[models["family"] == "rnn"])
    if best is None:
        return [f"{sentence}."]
    return [f"{sentence}; {best} pays {format_figure(_test_row(models, best), 'bits_per_answer')} on test."]


def describe_vocabulary(models: pd.DataFrame, unit: str) -> str | None:
    """Return a sentence on unknown symbols; None for characters that are all known."""
    row = models[models["split"] == "test"].iloc[0]
    if unit == "char" and not row["unknown"]:
        return None
    share = format_share(row["unknown"], row["symbols"])
    sentence = (
        f"The vocabulary is closed: it comes from the train split, and symbols outside it are scored as <unk>. These "
        f"are {share} of the scored test symbols ({row['unknown']:,} of {row['symbols']:,})"
    )
    if not row["unknown"]:
        return f"{sentence}."
    way = "by a character model of rare words" if unit == "word" else "by a uniform choice of characters or bytes"
    added = format_number(models["open_bits_per_char"].sub(models["bits_per_char"])[models["split"] == "test"].min())
    return f"{sentence}; spelling them out, {way}, adds {added} bits per character to every model."


def _test_row(models: pd.DataFrame, model: str) -> dict[str, Any]:
    row: dict[str, Any] = models[(models["model"] == model) & (models["split"] == "test")].to_dict("records")[0]
    return row


def format_figure(row: dict[str, Any], name: str) -> str:
    """Format a figure with its deviation, an infinite one with the number of symbols of probability zero."""
    value, std = row[name], row[f"{name}_std"]
    if math.isinf(value):
        count = row["zero_probability"]
        symbols = f"{count:,} symbol{'' if count == 1 else 's'} of zero probability"
        return f"∞ ({symbols}, {format_share(count, row['symbols'])})" if count else "∞"
    return format_number(value) if math.isnan(std) else f"{format_number(value)} ± {format_deviation(std, value)}"


def format_interval(row: dict[str, Any]) -> str:
    """Format the 95 % interval of the perplexity of a row of models.csv; empty where it is unknown."""
    low, high = row["bits_per_symbol_low"], row["bits_per_symbol_high"]
    return "" if math.isnan(low) else f"{format_number(2**low)} to {format_number(2**high)}"


def format_share(part: int, whole: int) -> str:
    """Format `part` of `whole` in per cent."""
    return f"{part / whole:.2%}".replace("%", " %") if part else "0 %"
