"""Finished runs are mirrored into MLflow once and completely, and arranged so that they can be compared."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_results import COMMAND
from tracked import Tree

from seqlab.io.files import read_json, write_text
from seqlab.io.runs import Place, Run
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.ledger.perplexity import read_metrics
from seqlab.questions.gaps import GapRow
from seqlab.tracking.language_models import TRACKED_FIGURES, find_leading_models, flatten_settings, select_params
from seqlab.tracking.runs import describe_axes
from seqlab.tracking.views.catalogue import TEXT_VIEWS, list_views
from seqlab.tracking.views.format import VIEW_TAG


def test_every_model_and_seed_is_a_run_and_the_experiment_one_more(published: Tree) -> None:
    lstm = {f"lstm-{layers}x{hidden}-s{seed}" for layers in (1, 2) for hidden in (8, 16) for seed in (1, 2, 3)}
    others = {"true-source", "xz", "mkn-1", "mkn-2", "mkn-3", "mkn-3-counts-1-2", "mle-3", "experiment made"}
    assert set(published.runs()) == lstm | others


def test_every_run_is_finished_and_lasts_as_long_as_training(published: Tree) -> None:
    runs = [run for name, run in published.runs().items() if name != "experiment made"]
    assert {(run.info.status, run.info.end_time - run.info.start_time) for run in runs} == {("FINISHED", 1500)}


def test_params_are_the_settings_and_the_names(published: Tree) -> None:
    assert published.runs()["lstm-2x16-s3"].data.params == {
        "layers": "2", "hidden": "16", "cell": "lstm", "seed": "3", "family": "rnn", "model": "lstm-2x16"
    }  # fmt: skip


def test_nested_settings_get_short_names_unless_they_clash() -> None:
    settings = {"start": {"value": 1}, "stop": {"value": 2, "rate": 0.5}, "seed": 7, "smoothing": "mkn"}
    assert flatten_settings(settings) == {
        "settings.start.value": "1", "settings.stop.value": "2", "rate": "0.5", "settings.seed": "7", "smoothing": "mkn"
    }  # fmt: skip


def test_curves_have_the_epoch_as_step(published: Tree) -> None:
    points = published.points("lstm-1x8-s2")
    curves = ["valid/epoch_loss", "valid/epoch_perplexity", "train/epoch_loss", "train/epoch_perplexity"]
    curves += ["train/gradient_norm", "train/learning_rate"]
    assert {(key, step) for key, step, *_ in points if step} == {(key, step) for key in curves for step in (1, 2, 3, 4)}


def test_curves_belong_to_their_seed(published: Tree) -> None:
    rows = [line.split(",") for line in Path(published.run("lstm-2x16").file("history.csv")).read_text().splitlines()]
    ours = [float(row[rows[0].index("valid_loss")]) for row in rows[1:] if row[1] == "2"]
    assert [value for key, *_, value in published.points("lstm-2x16-s2") if key == "valid/epoch_loss"] == pytest.approx(
        ours, rel=1e-5
    )


def test_final_figures_are_those_of_the_ledger(published: Tree) -> None:
    scores = read_metrics(published.run("lstm-1x16").file("metrics.json"))["scores"]
    valid, test = (row for row in scores if row["seed"] == 2)
    expected = {f"{row['split']}/{name}": row[name] for row in (valid, test) for name in TRACKED_FIGURES}
    expected |= {"model/parameters": 256.0, "train/seconds": 1.5}
    found = {key: value for key, step, _, value in published.points("lstm-1x16-s2") if step == 0}
    assert found == pytest.approx(expected, rel=1e-5)  # six digits are shown


def test_bits_per_answer_of_each_seed_are_figures_where_a_source_asks(small: Tree) -> None:
    rows = [
        GapRow(text, "rnn", "lstm-1x8", seed, *gaps, 10, bits)
        for text, seed, gaps, bits in (
            ("test", "2", (0, math.inf), 0.25),
            ("test", "2", (1, 1), 0.125),
            ("second text", "2", (0, math.inf), 0.5),
            ("second text", "3", (0, math.inf), 0.75),
        )
    ]
    write_table(small.place.file("gaps.csv"), tabulate_rows(GapRow, rows))
    small.track()
    of_answers = {key: value for key, _, _, value in small.points("lstm-1x8-s2") if "answer" in key}
    assert of_answers == {"test/bits_per_answer": 0.25, "second_text/bits_per_answer": 0.5}
    assert "gaps.csv" in small.artifacts("experiment made")


def test_tags_say_what_and_whence(published: Tree) -> None:
    tags = published.runs()["lstm-1x8-s2"].data.tags
    expected = {"kind": "model", "experiment": "made", "family": "rnn", "corpus": "toy", "unit": "char", "seed": "2"}
    expected |= {"card": "3" * 64, "data": "0" * 64}
    assert {name: tags[name] for name in expected} == expected
    assert {"run_key", "content", "commit", "dirty", "hardware", "versions"} <= set(tags)


def test_keys_differ_between_all_runs(published: Tree) -> None:
    keys = [run.data.tags["run_key"] for run in published.runs().values()]
    assert len(set(keys)) == len(keys) == 20


def test_infinite_perplexity_is_left_out_and_named(published: Tree) -> None:
    data = published.runs()["mle-3"].data
    assert set(data.metrics) == {"model/parameters", "train/seconds"}
    left_out = sorted(f"{split}/{name}" for split in ("test", "valid") for name in TRACKED_FIGURES)
    assert data.tags["infinite"] == ", ".join(left_out)


def test_finite_runs_carry_no_tag_of_infinity(published: Tree) -> None:
    assert [name for name, run in published.runs().items() if "infinite" in run.data.tags] == ["mle-3"]


def test_a_run_carries_its_card_and_sample_and_nothing_else(published: Tree) -> None:
    assert published.artifacts("mkn-2") == {"card.yaml", "sample.txt"}


def test_a_model_without_sample_carries_its_card(published: Tree) -> None:
    assert published.artifacts("xz") == {"card.yaml"}


def test_the_experiment_carries_tables_and_figures(published: Tree) -> None:
    found = published.artifacts("experiment made") | published.artifacts("experiment made", "figures")
    assert found == {"summary.csv", "models.csv", "verdicts.csv", "figures/bars.svg"}


def test_artifacts_lie_beside_the_results(published: Tree) -> None:
    place = published.client().get_experiment_by_name("toy/char").artifact_location
    assert place == str(published.results / "mlflow-artifacts" / "toy" / "char")


def test_the_receipt_counts_what_was_done(published: Tree) -> None:
    assert read_json(published.receipt) == {
        "experiment": "made", "runs": 20, "created": 20, "unchanged": 0, "superseded": 0, "places": {"toy/char": 20}
    }  # fmt: skip


def test_runs_are_children_of_the_experiment(published: Tree) -> None:
    runs = published.runs()
    parents = {run.data.tags.get("mlflow.parentRunId") for name, run in runs.items() if name != "experiment made"}
    assert parents == {runs["experiment made"].info.run_id}


def test_the_page_of_an_experiment_says_first_which_model_is_best(published: Tree) -> None:
    page = published.runs()["experiment made"].data.tags["mlflow.note.content"]
    assert page.splitlines()[0].startswith(
        "toy by char: lstm-2x16 is best, test perplexity 2.448; bits per symbol behind it: mkn-3 +0.0"
    )
    assert f"    {COMMAND}\n" in page


def test_the_page_lists_the_models_that_are_best_on_valid_first(published: Tree) -> None:
    page = published.runs()["experiment made"].data.tags["mlflow.note.content"]
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")][1:]
    valid = [float(row[1]) for row in rows]
    assert valid == sorted(valid) and len(valid) == 10  # all but mle-3, whose perplexity is infinite
    assert [row[5].rstrip(" |") for row in rows if row[0] == "| lstm-2x16"] == ["best on validation"]


def test_every_model_is_held_against_the_best_one(published: Tree) -> None:
    tags = {name: run.data.tags for name, run in published.runs().items() if name != "experiment made"}
    assert {tags[f"lstm-2x16-s{seed}"]["verdict"] for seed in (1, 2, 3)} == {"best on validation"}
    assert (tags["mkn-1"]["verdict"], tags["mkn-1"]["behind"][:4]) == ("worse", "+0.6")
    assert tags["mkn-1"]["verdict in full"].startswith("0.6")
    assert tags["xz"]["verdict in full"] == "not comparable with lstm-2x16: only a total is known"


def test_every_network_says_whether_it_is_underfitted(published: Tree) -> None:
    tags = {name: run.data.tags.get("underfitted") for name, run in published.runs().items()}
    assert (tags["lstm-2x16-s1"], tags["mkn-3"]) == ("no", None)


def test_the_description_of_a_text_is_the_answer(published: Tree) -> None:
    tags = published.client().get_experiment_by_name("toy/char").tags
    assert tags["mlflow.note.content"].startswith("toy by char: lstm-2x16 is best")


def test_runs_name_their_dataset(published: Tree) -> None:
    (used,) = published.runs()["mkn-1"].inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("toy by char", "0" * 16)


def test_every_view_is_a_tag_of_the_experiment(published: Tree) -> None:
    tags = published.client().get_experiment_by_name("toy/char").tags
    stored = {json.loads(value)["name"] for key, value in tags.items() if key.startswith(VIEW_TAG)}
    assert stored == {view.title for view in TEXT_VIEWS} | {"Axes of made"}


def test_the_axes_of_an_experiment_are_those_of_its_networks(published: Tree) -> None:
    tags = published.runs()["experiment made"].data.tags
    assert json.loads(tags["axes"]) == {"layers": [1, 2], "hidden": [8, 16]}


def test_axes_have_their_range_or_their_values() -> None:
    settings = [
        {"cell": "gru", "dropout": 0.1, "tied": False, "clip": 1.0},
        {"cell": "lstm", "dropout": 0.5, "tied": True, "clip": 1},
        {"smoothing": "mkn", "order": 3},
    ]
    axes = describe_axes({"settings": values} for values in settings)
    assert axes == {"cell": ["gru", "lstm"], "dropout": [0.1, 0.5], "tied": ["false", "true"], "clip": [1.0, 1.0]}
    assert describe_axes([{"settings": settings[0]}]) == {}


def test_the_view_of_axes_has_a_chart_for_each_and_maps_of_numbers() -> None:
    axes = {"cell": ["gru", "lstm"], "hidden": [8, 16], "dropout": [0.1, 0.5]}
    page = SimpleNamespace(data=SimpleNamespace(tags={"experiment": "made", "axes": json.dumps(axes)}))
    plain = SimpleNamespace(data=SimpleNamespace(tags={"experiment": "plain"}))
    (view,) = list_views("toy/char", [page, plain])[len(TEXT_VIEWS) :]
    charts = view.state["compareRunCharts"]
    (parallel,) = [chart for chart in charts if chart["type"] == "PARALLEL"]
    assert parallel["selectedParams"] == list(axes)
    assert [chart["xaxis"]["key"] for chart in charts if chart["type"] == "SCATTER"] == list(axes)
    assert [chart["xaxis"]["key"] for chart in charts if chart["type"] == "CONTOUR"] == ["hidden"]
    assert "tags.experiment = 'made'" in view.state["searchFilter"] and view.link == "axes-made"


def test_axes_come_first_and_others_only_where_they_matter() -> None:
    settings = {"cell": "lstm", "layers": 1, "hidden": 8, "clip": 1.0, "warmup": 0.0}
    cards = {
        Run("made", "toy", "char", "rnn", model): {"settings": settings | {"layers": layers, "clip": clip}}
        for model, layers, clip in (("a", 1, 1.0), ("b", 2, 1.0), ("c", 2, 0.5))
    }
    (params, *_) = select_params(cards).values()
    assert list(params) == ["layers", "clip", "cell", "hidden", "family", "model"]


def test_the_five_best_of_a_family_on_valid_lead(tmp_path: Path) -> None:
    place = Place(str(tmp_path), "toy", "char")
    rows = [f"ngram,mkn-{order},valid,{value}" for order, value in enumerate((9, 8, "inf", 5, 4, 6, 7), start=1)]
    rows += ["ngram,mkn-1,test,1.0", "rnn,lstm-1x8,valid,20.0"]
    write_text(place.file("models.csv"), "family,model,split,perplexity\n" + "\n".join(rows) + "\n")
    assert {model for family, model in find_leading_models(place) if family == "ngram"} == {
        f"mkn-{n}" for n in (2, 4, 5, 6, 7)
    }
    assert ("rnn", "lstm-1x8") in find_leading_models(place)
