"""A finished experiment as a crate."""

import subprocess
import zipfile

from project import ROOT, Project

from seqlab.crate.checks import check_crate

PUBLISH = ("--configfile", "config/smoke.yaml", "--config", "crate={date: '2026-01-31'}", "--", "publish")


def test_an_experiment_is_published_with_the_code_that_ran(finished: Project) -> None:
    done = finished.snakemake(*PUBLISH)
    assert done.returncode == 0, done.stdout
    crate = finished.folder / "results/smoke/crate.zip"
    assert check_crate(crate).runs == 12
    assert "Nothing to be done" in finished.snakemake(*PUBLISH).stdout
    with zipfile.ZipFile(crate) as archive:
        names = [name for name in archive.namelist() if name.startswith("code/")]
        assert {"code/Snakefile", "code/workflow/rules/publish.smk", "code/src/seqlab/crate/packing.py"} <= set(names)
        for name in names:
            assert archive.read(name) == (finished.folder / name.removeprefix("code/")).read_bytes()


def test_outside_a_repository_the_date_has_to_be_set(finished: Project) -> None:
    environment = {"GIT_CEILING_DIRECTORIES": str(finished.folder.parent)}
    done = finished.snakemake("--configfile", "config/smoke.yaml", "--", "publish", **environment)
    assert done.returncode != 0
    assert "error: crate.date is not set" in done.stdout
    assert not (finished.folder / "results/smoke/crate.zip").exists()


def test_make_verify_checks_a_named_crate() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "verify", "CRATE=my crate.zip"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == '.venv/bin/seqlab check-crate "my crate.zip"'
