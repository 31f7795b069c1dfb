"""Counting in shards, as Snakemake does it."""

import numpy as np
import pytest
from project import Project

NGRAMS = "results/smoke/even_process/char/ngram"
SMOKE = ("--configfile", "config/smoke.yaml", "--config")


@pytest.mark.parametrize("shards", [1, 7])
def test_models_of_a_text_counted_in_shards_are_the_same(smoke: Project, finished: Project, shards: int) -> None:
    models = [finished.folder / NGRAMS / name / "model.npz" for name in ("mkn-3", "mle-3")]
    for model in models:
        model.unlink()
    targets = [str(model.relative_to(finished.folder)) for model in models]
    done = finished.snakemake(*SMOKE, f"counting={{shards: {shards}}}", "--", *targets)
    assert done.returncode == 0, done.stdout
    folder = finished.folder / "results/smoke/even_process/char/counts"
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["merged"]
    assert len(list(folder.glob(f"*-of-{shards}.log"))) == shards
    for model in models:
        with np.load(model) as made, np.load(smoke.folder / model.relative_to(finished.folder)) as expected:
            assert sorted(made.files) == sorted(expected.files)
            for name in made.files:
                np.testing.assert_array_equal(made[name], expected[name], err_msg=name)
