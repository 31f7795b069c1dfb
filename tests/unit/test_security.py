"""Files of others are data: none is run, unpacked without end, or taken for markup. docs/security.md lists it all."""

import ast
import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_forecasts import make_forecasts

from seqlab.io import arrays
from seqlab.io.arrays import read_arrays
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.io.provenance import read_commit
from seqlab.io.runs import Experiment, Place, read_experiment
from seqlab.report.contents import source_file
from seqlab.report.page import write_report
from seqlab.text.reading import check_text
from seqlab.text.splits import read_ids
from seqlab.tracking.page import compose_experiment_page

ROOT = Path(__file__).parents[2]
FORBIDDEN = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "compile", "os.system", "os.popen", "torch.load", "yaml.load", "pd.read_pickle"}


def is_dangerous(node: ast.AST) -> bool:
    """Whether a node of a program imports what unpickles, or calls what runs a text or unpickles a file."""
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in FORBIDDEN for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in FORBIDDEN
    if not isinstance(node, ast.Call):
        return False
    refused = {word.arg for word in node.keywords if isinstance(word.value, ast.Constant) and word.value.value is False}
    loads = ast.unparse(node.func) in ("np.load", "np.lib.format.read_array")
    shell = any(word.arg == "shell" for word in node.keywords)
    return ast.unparse(node.func) in CALLS or (loads and "allow_pickle" not in refused) or shell


@pytest.mark.parametrize("folder", ["src", "workflow", "tools", "benchmarks"])
def test_no_program_unpickles_or_runs_a_text(folder: str) -> None:
    found = []
    for path in (ROOT / folder).rglob("*.py"):
        found += [f"{path}:{node.lineno}" for node in ast.walk(ast.parse(path.read_bytes())) if is_dangerous(node)]
    assert found == []


@pytest.mark.parametrize("line", ["import pickle", "torch.load(x)", "np.load(x)", "np.load(x, allow_pickle=True)",
                                  "subprocess.run(x, shell=True)", "from joblib import load"])  # fmt: skip
def test_the_search_for_such_programs_finds_them(line: str) -> None:
    assert any(is_dangerous(node) for node in ast.walk(ast.parse(line)))


class Evil:
    """An object that, unpickled, makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_an_archive_of_objects_is_refused_and_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", np.array([Evil(tmp_path / "made")], dtype=object))
    with pytest.raises(InputError, match=r"model\.npz is damaged"):
        read_arrays(tmp_path / "model.npz")
    assert not (tmp_path / "made").exists()


def test_ids_that_are_objects_are_refused_and_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.array([Evil(tmp_path / "made")], dtype=object))
    with pytest.raises(InputError, match=r"ids\.npy is damaged"):
        read_ids(tmp_path / "ids.npy", {"symbols": 1, "splits": {}})
    assert not (tmp_path / "made").exists()


def test_an_archive_that_unpacks_to_more_than_the_memory_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", bits=np.zeros(1_000_000))
    assert (tmp_path / "bomb.npz").stat().st_size < 20_000
    monkeypatch.setattr(arrays, "read_memory_size", lambda: 1_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(InputError, match=r"bomb\.npz unpacks to 8,000,128 bytes, but this machine has"):
        read_arrays(tmp_path / "bomb.npz")


def archive(kind: str) -> bytes:
    """An archive of a text, in which the text would land above the folder."""
    packed, text = io.BytesIO(), b"a text " * 100
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr("../evil", text)
    elif kind == "tar":
        with tarfile.open(fileobj=packed, mode="w") as file:
            member = tarfile.TarInfo("../evil")
            member.size = len(text)
            file.addfile(member, io.BytesIO(text))
    else:
        packed.write({"gzip": gzip, "xz": lzma, "bz2": bz2}[kind].compress(text))
    return packed.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar", "gzip", "xz", "bz2"])
def test_an_archive_is_no_text_and_nothing_unpacks_it(kind: str) -> None:
    with pytest.raises(InputError, match=r"my\.txt is not .*text"):
        check_text(archive(kind), "my.txt")


def test_the_memory_of_this_machine_is_known() -> None:
    assert 10**8 < arrays.read_memory_size() < 10**15


def test_what_a_series_says_of_itself_is_text_not_markup(tmp_path: Path) -> None:
    make_forecasts(tmp_path)
    experiment = read_experiment(tmp_path / "results/made/runs.json")
    ((place, prepared),) = experiment.prepared.items()
    path = Path(prepared) / "series.json"
    evil = "<script>alert(1)</script>"
    write_json(path, read_json(path) | {"title": evil, "unit": evil, "column": evil, "notes": [evil], "licence": evil})
    write_json(source_file(place, prepared), {"title": evil, "source": evil})
    write_report(experiment._replace(name=evil, command=evil), {"commit": evil}, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert evil not in page and page.count("&lt;script&gt;alert(1)") >= 2


def test_a_command_with_line_ends_stays_code_in_the_notes_of_mlflow(tmp_path: Path) -> None:
    command = "snakemake --config 'corpus=a\n<img src=x onerror=alert(1)>\n'"
    page = compose_experiment_page(
        Experiment(str(tmp_path), "made", [], command, {}, []), Place(str(tmp_path), "toy", "char")
    )
    assert "\n    <img src=x" in page and "\n<img" not in page


def test_git_starts_no_program_of_the_folder_it_looks_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may come from an archive of somebody else, with a .git of its own."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "watch").write_text(f"#!/bin/sh\ntouch {tmp_path}/evil\n")
    (tmp_path / "watch").chmod(0o755)
    me = ["git", "-C", str(tmp_path), "-c", "user.name=me", "-c", "user.email=me@example.org"]
    subprocess.run([*me, "add", "watch"], check=True)
    subprocess.run([*me, "commit", "--quiet", "--message", "All"], check=True)
    subprocess.run([*me, "config", "core.fsmonitor", str(tmp_path / "watch")], check=True)
    monkeypatch.chdir(tmp_path)
    assert len(read_commit()[0]) == 40
    assert not (tmp_path / "evil").exists()
