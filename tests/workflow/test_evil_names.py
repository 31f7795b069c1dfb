"""Files of users are called whatever they like: a shell never reads the name as anything but a name."""

from pathlib import Path

from project import Project

FILE = "-x;touch evil;$(touch evil)`touch evil`'\"&|*%s=@"
COLUMN = "--x $(touch evil)`touch evil`' & touch evil|*%s=@{y}<z>"


def test_a_text_and_a_column_with_a_command_for_a_name(empty_project: Project, tmp_path: Path) -> None:
    text, series = tmp_path / f"{FILE}.txt", tmp_path / f"{FILE}.csv"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 50)
    series.write_text(f"time,{COLUMN}\n" + "".join(f"{time},{time % 7}\n" for time in range(300)))
    config = [f"corpus={text}", f"series={series}", f"column={COLUMN}"]
    done = empty_project.snakemake("--until", "clean_corpus", "build_series", "--config", *config)
    assert done.returncode == 0, done.stdout
    results = empty_project.folder / "results"
    (clean,), (table,) = results.glob("corpora/*/clean.txt"), results.glob("corpora/*/series/series.csv")
    assert clean.parent.name == "x_touch_evil_touch_evil_touch_evil_s"
    assert table.parent.parent.name.startswith("x_touch_evil_touch_evil_touch_evil_s")
    assert list(empty_project.folder.rglob("evil")) == []
