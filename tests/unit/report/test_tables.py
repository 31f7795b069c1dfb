"""summary.csv and models.csv say what the metrics say, and refuse metrics that cannot be true."""

import json
import math
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest
from made_results import NOTHING_TO_SPELL, make_results

from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json, write_text
from seqlab.io.runs import Run
from seqlab.io.tables import write_table
from seqlab.ledger.perplexity import FIGURE_NAMES
from seqlab.ledger.scores import read_scores, write_scores
from seqlab.ledger.statistics import estimate_interval
from seqlab.questions.spelling import SpellingRow
from seqlab.report.tables import find_best_model, list_axes, read_text_models, summarize_texts


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return [Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in make_results(tmp_path)]


def metrics_of(run: Run) -> Path:
    return Path(run.file("metrics.json"))


def named(runs: list[Run], model: str) -> Run:
    return next(run for run in runs if run.model == model)


def change(run: Run, **values: object) -> None:
    """Replace `values` in the first row of scores."""
    path = metrics_of(run)
    metrics = read_json(path)
    metrics["scores"][0] |= values
    write_text(path, json.dumps(metrics))  # as write_json does, which takes no NaN


def test_columns_are_those_of_the_contract(runs: list[Run]) -> None:
    summary, models = summarize_texts(runs, NOTHING_TO_SPELL)
    assert ", ".join(summary.columns) == (
        "corpus, unit, family, model, seed, split, symbols, unknown, bits_per_symbol, perplexity, bits_per_char, "
        "bits_per_byte, bits_per_word, open_bits_per_char, bits_per_answer, parameters, train_seconds, zero_probability"
    )
    assert ", ".join(models.columns) == (
        "corpus, unit, family, model, seeds, split, symbols, unknown, bits_per_symbol, bits_per_symbol_std, "
        "perplexity, perplexity_std, bits_per_char, bits_per_char_std, bits_per_byte, bits_per_byte_std, "
        "bits_per_word, bits_per_word_std, open_bits_per_char, open_bits_per_char_std, "
        "bits_per_answer, bits_per_answer_std, parameters, train_seconds, zero_probability, pruned_from, "
        "pruning_loss, bits_per_symbol_low, bits_per_symbol_high, best_by_parameters, best_by_seconds, underfitted, "
        "smoothing, order, cell, layers, hidden"
    )
    assert len(summary) == 2 * (7 + 4 * 3)  # two splits of seven models without seeds and four networks of three
    assert len(models) == 2 * (7 + 4)


def test_bits_per_answer_are_those_of_the_marked_symbols_of_a_split(runs: list[Run]) -> None:
    marks = {"valid": np.arange(200) < 3, "test": np.arange(200) % 50 == 7}
    summary, models = summarize_texts(runs, NOTHING_TO_SPELL, marks)
    for split, mark in marks.items():
        rows = summary[(summary["model"] == "lstm-2x16") & (summary["split"] == split)]
        expected = read_scores(named(runs, "lstm-2x16").file("scores.npz"))[split][:, mark].astype(float).mean(1)
        assert rows["bits_per_answer"].tolist() == pytest.approx(expected)
        row = models[(models["model"] == "lstm-2x16") & (models["split"] == split)].iloc[0]
        assert (row["bits_per_answer"], row["bits_per_answer_std"]) == pytest.approx((expected.mean(), stdev(expected)))
    assert models.loc[models["family"] == "compressor", "bits_per_answer"].isna().all()  # only its total is known
    assert models.loc[models["model"] == "mle-3", "bits_per_answer"].tolist() == [math.inf] * 2


def test_texts_without_answers_have_no_bits_per_answer(runs: list[Run]) -> None:
    for table in summarize_texts(runs, NOTHING_TO_SPELL):
        assert table["bits_per_answer"].isna().all()


def test_the_best_within_a_cost_is_chosen_on_valid_among_ngrams_and_networks(runs: list[Run]) -> None:
    for run, seconds in {"mkn-1": 0.1, "mkn-3": 0.2, "lstm-2x16": 60.0}.items():
        path = metrics_of(named(runs, run))
        write_json(path, read_json(path) | {"train_seconds": seconds})
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1]
    single = models[models["family"].isin(["ngram", "rnn"])]
    valid = single[single["split"] == "valid"].set_index("model")
    assert set(single["best_by_seconds"]) == {"mkn-1", "mkn-3", "lstm-1x16", "lstm-2x16"}
    for cost, column in {"parameters": "best_by_parameters", "train_seconds": "best_by_seconds"}.items():
        for row in single.to_dict("records"):
            assert row[column] == valid["perplexity"][valid[cost] <= row[cost]].idxmin()
        assert set(models[column][models["family"].isin(["source", "compressor"])]) == {""}


def test_rows_are_in_natural_order_whatever_the_order_of_the_files(runs: list[Run]) -> None:
    summary, models = summarize_texts(runs, NOTHING_TO_SPELL)
    for table in summarize_texts(reversed(runs), NOTHING_TO_SPELL):
        assert table.equals(summary) or table.equals(models)
    networks = summary[summary["family"] == "rnn"]
    assert list(dict.fromkeys(networks["model"])) == ["lstm-1x8", "lstm-1x16", "lstm-2x8", "lstm-2x16"]
    assert list(networks["seed"][:6]) == [1, 1, 2, 2, 3, 3]
    assert list(networks["split"][:2]) == ["valid", "test"]


def test_means_and_deviations_are_over_seeds(runs: list[Run]) -> None:
    summary, models = summarize_texts(runs, NOTHING_TO_SPELL)
    of_model = summary[(summary["model"] == "lstm-2x16") & (summary["split"] == "test")]
    row = models[(models["model"] == "lstm-2x16") & (models["split"] == "test")].iloc[0]
    for name in FIGURE_NAMES:
        assert row[name] == pytest.approx(mean(of_model[name]), rel=1e-12)
        assert row[f"{name}_std"] == pytest.approx(stdev(of_model[name]), rel=1e-9)
    assert row["seeds"] == 3
    alone = models[models["model"] == "mkn-3"]
    assert (alone["seeds"] == 0).all() and alone["perplexity_std"].isna().all()


def test_one_infinite_seed_makes_the_mean_infinite_and_the_deviation_empty(runs: list[Run]) -> None:
    change(
        named(runs, "lstm-1x8"),
        zero_probability=4,
        **dict.fromkeys(FIGURE_NAMES, "inf"),
    )
    _, models = summarize_texts(runs, NOTHING_TO_SPELL)
    row = models[(models["model"] == "lstm-1x8") & (models["split"] == "valid")].iloc[0]
    assert row["perplexity"] == math.inf and math.isnan(row["perplexity_std"]) and row["zero_probability"] == 4
    assert math.isfinite(models[(models["model"] == "lstm-1x8") & (models["split"] == "test")].iloc[0]["perplexity"])


def test_the_loss_of_pruning_is_held_against_the_whole_model_on_the_same_split(runs: list[Run]) -> None:
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1]
    bits = models.set_index(["model", "split"])["bits_per_symbol"]
    pruned = models[models["pruned_from"] == "mkn-3"].set_index("split")
    for split in ("valid", "test"):
        lost = bits["mkn-3-counts-1-2", split] - bits["mkn-3", split]
        assert pruned.loc[split, "pruning_loss"] == pytest.approx(lost) and lost > 0.05
    assert models["pruning_loss"].notna().sum() == 2


def test_nothing_is_lost_from_infinity_and_nothing_known_without_the_whole_model(runs: list[Run]) -> None:
    whole = named(runs, "mkn-3")
    kept = [run for run in runs if run != whole]
    assert summarize_texts(kept, NOTHING_TO_SPELL)[1]["pruning_loss"].isna().all()
    pruned = named(runs, "mkn-3-counts-1-2")
    for path in map(metrics_of, (whole, pruned)):
        for row in (metrics := read_json(path))["scores"]:
            row |= dict.fromkeys(FIGURE_NAMES, "inf")
            row["zero_probability"] = 1
        write_json(path, metrics)
    assert summarize_texts(runs, NOTHING_TO_SPELL)[1]["pruning_loss"].isna().all()


def test_csv_is_read_back_as_it_was_and_written_the_same_twice(runs: list[Run], tmp_path: Path) -> None:
    summary, models = summarize_texts(runs, NOTHING_TO_SPELL)
    write_table(tmp_path / "summary.csv", summary)
    write_table(tmp_path / "models.csv", models)
    assert read_text_models(tmp_path / "models.csv").equals(models)
    first = (tmp_path / "models.csv").read_bytes()
    write_table(tmp_path / "models.csv", summarize_texts(runs, NOTHING_TO_SPELL)[1])
    assert (tmp_path / "models.csv").read_bytes() == first
    lines = (tmp_path / "summary.csv").read_text().splitlines()
    infinite = next(line for line in lines if "mle-3,,test" in line).split(",")
    assert infinite[6:14] == ["200", "1", *["inf"] * 6]  # integers have no point
    assert any(",lstm-1x8,2,test,200,1," in line for line in lines)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"perplexity": 1.5}, "not 2 \\*\\* bits_per_symbol"),
        ({"bits_per_symbol": math.nan}, "a finite number"),
        ({"bits_per_byte": "many"}, "a number of at least 0 or inf"),
        ({"zero_probability": 1}, "zero probability"),
        ({"symbols": 200.5}, "whole number"),
        ({"symbols": 199}, "different texts"),
        ({"unknown": 201}, "more unknown"),
        ({"split": "test"}, "each seed once"),
        ({"split": "train"}, "one of valid, test"),
        ({"seed": 7}, "each seed once"),
    ],
)
def test_impossible_metrics_are_refused(runs: list[Run], values: dict[str, object], words: str) -> None:
    change(named(runs, "lstm-1x8"), **values)
    with pytest.raises(InputError, match=words) as error:
        summarize_texts(runs, NOTHING_TO_SPELL)
    assert "lstm-1x8" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"scores": 3}', '{"scores": [3]}', '{"scores": []}'])
def test_a_damaged_file_is_named(runs: list[Run], text: str) -> None:
    path = metrics_of(runs[3])
    path.write_text(text)
    with pytest.raises(InputError, match=str(path)):
        summarize_texts(runs, NOTHING_TO_SPELL)


def test_the_same_model_twice_is_refused(runs: list[Run]) -> None:
    with pytest.raises(InputError, match="both hold toy/char/source/true-source"):
        summarize_texts([*runs, runs[0]], NOTHING_TO_SPELL)


def test_no_metrics_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="no metrics"):
        summarize_texts([], NOTHING_TO_SPELL)


def test_a_damaged_models_table_is_refused(runs: list[Run], tmp_path: Path) -> None:
    path = tmp_path / "models.csv"
    write_table(path, summarize_texts(runs, NOTHING_TO_SPELL)[1])
    whole = path.read_text()
    for damaged in ("", whole.splitlines()[0] + "\n", whole.replace("perplexity_std", "p"), whole.replace("inf", "")):
        path.write_text(damaged)
        with pytest.raises(InputError, match=r"models\.csv"):
            read_text_models(path)


def test_best_is_chosen_on_valid_and_never_infinite(runs: list[Run]) -> None:
    _, models = summarize_texts(runs, NOTHING_TO_SPELL)
    at = (models["model"] == "mkn-1") & (models["split"] == "test")
    models.loc[at, "perplexity"] = 1.0
    assert find_best_model(models[models["family"] == "ngram"]) == "mkn-3"
    assert find_best_model(models[models["model"] == "mle-3"]) is None


def set_of(run: Run, **values: object) -> None:
    """Give the run other settings, as another configuration would."""
    metrics = read_json(metrics_of(run))
    write_json(metrics_of(run), metrics | {"settings": metrics["settings"] | values})


def test_settings_are_columns_and_empty_where_there_are_none(runs: list[Run]) -> None:
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1].drop_duplicates("model").set_index("model")
    columns = ["smoothing", "order", "cell", "layers", "hidden"]
    assert models.loc["mkn-3-counts-1-2", columns[:3]].to_list() == ["mkn", 3, ""]
    assert models.loc["lstm-2x16", columns[2:]].to_list() == ["lstm", 2, 16]
    assert models.loc["mkn-3", columns[3:]].isna().all() and models.loc["lstm-2x16", "smoothing"] == ""
    assert models.loc["xz", ["smoothing", "cell"]].to_list() == ["", ""] and models.loc["xz", ["order"]].isna().all()


def test_every_other_setting_in_which_networks_differ_is_a_column(runs: list[Run], tmp_path: Path) -> None:
    networks = [run for run in runs if run.family == "rnn"]
    for run, dropout, schedule, epochs in zip(
        networks, (0.0, 0.3, 0, 0.3), ("step", "cosine", "step", "step"), (5, 5, 10, 5), strict=True
    ):
        set_of(run, dropout=dropout, schedule=schedule, epochs=epochs, clip=1.0, batch_size=16)
    set_of(named(runs, "mkn-3"), dropout=7)
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1]
    assert list(models.columns[-3:]) == ["dropout", "schedule", "epochs"]
    first = models.drop_duplicates("model").set_index("model").loc[[run.model for run in networks]]
    assert first["dropout"].to_list() == [0.0, 0.3, 0.0, 0.3] and first["epochs"].to_list() == [5, 5, 10, 5]
    assert first["schedule"].to_list() == ["step", "cosine", "step", "step"]
    assert models.loc[models["family"] != "rnn", ["dropout", "epochs"]].isna().all(axis=None)
    write_table(tmp_path / "models.csv", models)
    assert read_text_models(tmp_path / "models.csv").equals(models)
    assert list_axes(models[models["family"] == "rnn"]) == ["layers", "hidden", "dropout", "schedule", "epochs"]


def test_a_ledger_that_is_not_that_of_the_metrics_is_refused(runs: list[Run]) -> None:
    scores = named(runs, "lstm-1x8").file("scores.npz")
    write_scores(scores, {split: bits + 0.1 for split, bits in read_scores(scores).items()})
    with pytest.raises(
        InputError, match=r"lstm-1x8/scores\.npz is damaged \(its SHA-256 differs from that in metrics\.json"
    ):
        summarize_texts(runs, NOTHING_TO_SPELL)


def test_spelling_makes_bits_per_character_those_of_an_open_vocabulary(runs: list[Run]) -> None:
    spelling = {"valid": SpellingRow(1, 50.0, 0.25), "test": SpellingRow(2, 100.0, 0.5)}
    summary, models = summarize_texts(runs, spelling)
    for table in (summary, models):
        finite = table[np.isfinite(table["bits_per_char"])]
        added = finite["open_bits_per_char"] - finite["bits_per_char"]
        assert added.to_numpy() == pytest.approx(np.where(finite["split"] == "test", 0.5, 0.25))


def test_the_interval_of_a_model_is_that_of_its_ledger(runs: list[Run]) -> None:
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1].set_index(["model", "split"])
    expected = estimate_interval(read_scores(named(runs, "lstm-2x16").file("scores.npz"))["test"])
    row = models.loc["lstm-2x16", "test"]
    assert (row["bits_per_symbol_low"], row["bits_per_symbol_high"]) == expected
    assert expected[0] < row["bits_per_symbol"] < expected[1]
    for model in ("xz", "mle-3"):  # only a total is known; infinite
        assert math.isnan(models.loc[(model, "test"), "bits_per_symbol_low"])
