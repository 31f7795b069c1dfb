"""What the report says in sentences: which model is best, by how much, and whether that is real."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from seqlab.questions.verdicts import TIED, Verdict, find_verdict
from seqlab.report.style import deviation, number
from seqlab.report.tables import best_on_valid

TRAINED = {"ngram": "n-gram", "rnn": "recurrent network"}  # without these something is missing
CHOSEN = TRAINED | {"mixture": "mixture"}  # the families that are chosen between


def answer(models: pd.DataFrame, verdicts: Sequence[Verdict], rate: dict[str, float] | None) -> list[str]:
    """The sentences that answer which model is best, by how much, and whether that is real: chosen by valid, quoted
    from test.
    """
    trained = models[models["family"].isin(CHOSEN)]
    best = best_on_valid(trained)
    if best is None:
        return ["No model has a finite perplexity on valid, so none is the best.", *_floor(rate)]
    row = _test_row(trained, best)
    over = f" over {row['seeds']} seeds" if row["seeds"] > 1 else " from one seed" if row["seeds"] else ""
    bits = "" if math.isinf(row["bits_per_char"]) else f" ({number(row['bits_per_char'])} bits per character)"
    sentences = [f"Best on valid: {best}, test perplexity {figure(row, 'perplexity')}{over}{bits}."]
    for family, name in CHOSEN.items():
        rival = best_on_valid(models[models["family"] == family])
        if rival is not None and family != row["family"]:
            other = _test_row(models, rival)
            over = f" over {other['seeds']} seeds" if other["seeds"] > 1 else ""
            figures = f"{figure(other, 'perplexity')}{over}{_compared(find_verdict(verdicts, rival))}"
            sentences.append(f"The best {name} (chosen on the validation split), {rival}, has {figures}")
    return sentences + _floor(rate)


def _compared(verdict: Verdict | None) -> str:
    """The end of a sentence about a model: its verdict against the best one."""
    if verdict is None or not verdict.is_known:
        return "."
    power = f"; a difference of {verdict.minimum_detectable:.4f} would have been found four times in five"
    return f" and is {verdict.in_words}{power if verdict.verdict == TIED else ''}."


def across_units(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """The best model on valid of every unit of one text, from its models.csv, in figures that units share."""
    rows = []
    for unit, models in tables.items():
        best = best_on_valid(models[models["family"].isin(CHOSEN)])
        if best is None:
            continue
        row = _test_row(models, best)
        figures = {name: number(row[name]) for name in ("bits_per_char", "open_bits_per_char", "bits_per_byte")}
        spelt = row["open_bits_per_char"] / row["bits_per_char"]
        rows.append(
            {"unit": unit, "model": best, "unknown": share(row["unknown"], row["symbols"]), **figures}
            | {"bits_per_word": number(row["bits_per_word"] * spelt)}
        )
    return rows


def _floor(rate: dict[str, float] | None) -> list[str]:
    if rate is None:
        return []
    floor = number(2 ** rate["bits_per_symbol"])
    sentence = (
        f"Known floor: perplexity {floor}, the entropy rate of the source ({number(rate['bits_per_symbol'])} bits per "
        f"symbol; 95 % of test texts of this length cost between {number(rate['low'])} and {number(rate['high'])})."
    )
    return [sentence]


def closed(models: pd.DataFrame, unit: str) -> str | None:
    """What to know about unknown symbols, where there is something to know."""
    row = models[models["split"] == "test"].iloc[0]
    if unit == "char" and not row["unknown"]:
        return None
    told = (
        f"The vocabulary is closed: it comes from the train split, and a symbol outside it costs what the model gives "
        f"<unk>. That is {share(row['unknown'], row['symbols'])} of the scored test symbols ({row['unknown']:,} of "
        f"{row['symbols']:,})"
    )
    if not row["unknown"]:
        return f"{told}."
    how = "by a model of the letters of rare words" if unit == "word" else "each chosen among all there are"
    added = number(models["open_bits_per_char"].sub(models["bits_per_char"])[models["split"] == "test"].min())
    return f"{told}; spelling them out, {how}, adds {added} bits per character to every model."


def _test_row(models: pd.DataFrame, model: str) -> dict[str, Any]:
    row: dict[str, Any] = models[(models["model"] == model) & (models["split"] == "test")].to_dict("records")[0]
    return row


def figure(row: dict[str, Any], name: str) -> str:
    """A figure with its deviation; an infinite one with the number of symbols that made it so."""
    value, std = row[name], row[f"{name}_std"]
    if math.isinf(value):
        count = row["zero_probability"]
        told = f"{count:,} symbol{'' if count == 1 else 's'} of zero probability, {share(count, row['symbols'])}"
        return f"∞ ({told})" if count else "∞"
    return number(value) if math.isnan(std) else f"{number(value)} ± {deviation(std, value)}"


def interval(row: dict[str, Any]) -> str:
    """The 95 % interval of the perplexity of a row of models.csv; empty where it is not known."""
    low, high = row["bits_per_symbol_low"], row["bits_per_symbol_high"]
    return "" if math.isnan(low) else f"{number(2**low)} to {number(2**high)}"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in per cent, as the page prints it."""
    return f"{part / whole:.2%}".replace("%", " %") if part else "0 %"
