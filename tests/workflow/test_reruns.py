"""What runs again, and what does not."""

from project import Project

SMOKE = ("--configfile", "config/smoke.yaml")
AFTER_SCORING = {
    "compare_models": 1,
    "measure_memory": 1,
    "explain_models": 1,
    "summarize": 1,
    "plot_figure": 8,
    "measure_horizon": 1,
    "write_report": 1,
    "track_runs": 1,
    "record_provenance": 1,
}


def edit(project: Project, file: str) -> None:
    """Change the content of a file without changing what it does."""
    path = project.folder / file
    path.write_text(path.read_text() + "\n# edited\n")


def test_touching_files_reruns_nothing(finished: Project) -> None:
    for folder in ("src", "workflow", "config"):
        for path in (finished.folder / folder).rglob("*.*"):
            path.touch()
    (finished.folder / "results/corpora/even_process/char/ids.npy").touch()
    assert finished.planned(*SMOKE) == {}


def test_editing_the_optimiser_trains_networks_again_and_nothing_else(finished: Project) -> None:
    edit(finished, "src/seqlab/fleet/optimisers.py")
    assert finished.planned(*SMOKE) == {"train_rnn": 2, "score_mixture": 2, "compare_protocols": 1} | AFTER_SCORING


def test_editing_the_smoothing_estimates_n_grams_again_and_nothing_else(finished: Project) -> None:
    edit(finished, "src/seqlab/ngram/smoothing.py")
    assert (
        finished.planned(*SMOKE)
        == {
            "train_ngram": 4,
            "prune_ngram": 2,
            "write_arpa": 3,
            "score_mixture": 1,  # not that of seeds
        }
        | AFTER_SCORING
    )


def test_editing_the_report_writes_the_report_again_and_nothing_else(finished: Project) -> None:
    edit(finished, "src/seqlab/report/page.py")
    assert finished.planned(*SMOKE) == {"write_report": 1}


def test_a_new_sweep_value_runs_only_the_new_cells(finished: Project) -> None:
    config = finished.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("hidden: [8]", "hidden: [8, 12]"))
    new = {"plan_runs": 1, "list_runs": 1, "train_rnn": 2, "score_mixture": 2, "compare_protocols": 1}
    assert finished.planned(*SMOKE) == new | AFTER_SCORING
    weights = finished.folder / "results/smoke/even_process/char/rnn/rnn-1x8/weights.safetensors"
    before = weights.stat().st_mtime_ns
    done = finished.snakemake(*SMOKE, "--", "results/smoke/even_process/char/rnn/rnn-1x12/metrics.json")
    assert done.returncode == 0, done.stdout
    assert weights.stat().st_mtime_ns == before


def test_a_longer_n_gram_leaves_the_shorter_ones_alone(finished: Project) -> None:
    config = finished.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("smoothing: mkn, orders: [1]", "smoothing: mkn, orders: [1, 4]"))
    new = {"plan_runs": 1, "list_runs": 1, "train_ngram": 1, "score_mixture": 1}
    assert finished.planned(*SMOKE) == new | AFTER_SCORING


def test_a_lost_scores_file_is_made_again(finished: Project) -> None:
    (finished.folder / "results/smoke/even_process/char/ngram/mkn-3/metrics.json").unlink()
    assert finished.planned(*SMOKE)["train_ngram"] == 1
