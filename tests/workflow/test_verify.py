"""A finished experiment against what is committed of it."""

from project import Project

SMOKE = ("--configfile", "config/smoke.yaml")


def test_the_smoke_experiment_is_what_is_committed_of_it(finished: Project) -> None:
    done = finished.snakemake(*SMOKE, "--", "verify")
    assert done.returncode == 0, done.stdout


def test_another_result_ends_with_an_error_until_it_is_accepted(finished: Project) -> None:
    expected = finished.folder / "config/expected/smoke.csv"
    text = expected.read_text()
    expected.write_text(text.replace("mkn-3,", "mkn-9,"))
    done = finished.snakemake(*SMOKE, "--", "verify")
    assert done.returncode != 0
    assert "error: 2 rows differ from config/expected/smoke.csv" in done.stdout
    assert finished.snakemake(*SMOKE, "--", "refresh_expected").returncode == 0
    assert finished.snakemake(*SMOKE, "--", "verify").returncode == 0
