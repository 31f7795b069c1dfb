"""The lecture: that it runs anywhere, computes what it shows, and is committed without what it computed."""

import csv
import re
from importlib.resources import files
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

PATH = Path(__file__).parents[2] / "notebooks" / "recurrent_neural_networks.ipynb"
SECTIONS = ["1", "2", "2.1", "2.2", "2.3", "3", "3.1", "3.2", "4", "5", "5.1", "5.2", "5.3", "5.4", "6"]
WITHOUT_NETWORK = """
import socket

def refuse(*arguments):
    raise OSError("a cell asked for the network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def lecture() -> NotebookNode:
    return nbformat.read(PATH, as_version=4)


@pytest.fixture(scope="module")
def errata() -> list[dict[str, str]]:
    text = (files("seqlab.report") / "errata.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lecture runs: a folder with nothing in it."""
    return tmp_path_factory.mktemp("lecture")


@pytest.fixture(scope="module")
def executed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The lecture after a run without network, and without the Jupyter settings of whoever runs the tests."""
    settings = tmp_path_factory.mktemp("settings")
    notebook = nbformat.read(PATH, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WITHOUT_NETWORK, id="without-network"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(settings))
        client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
        client.execute()  # an exception in a cell, a failed assert among them, is raised here
    return notebook


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def numbers_of(text: str) -> set[str]:
    """The numbers with a point that stand in `text`, without their signs."""
    return set(re.findall(r"(?<![\w.])\d+\.\d+(?:e-?\d+)?", text))


def test_it_runs_without_a_word_on_stderr(executed):
    said = [output.text for cell in code(executed) for output in cell.outputs if output.get("name") == "stderr"]
    assert said == []


def test_it_leaves_nothing_behind(executed, folder):
    assert list(folder.iterdir()) == []


def test_it_draws(executed):
    drawn = {cell.id for cell in code(executed) for output in cell.outputs if "image/png" in output.get("data", {})}
    assert {"latent", "k-steps", "by-order", "drawing", "reach", "even", "sign"} <= drawn


def test_every_erratum_stands_beside_what_is_computed(executed, errata):
    """Rows of the tables that `beside_print` shows: name, printed value, computed value."""
    shown = "".join(output.get("data", {}).get("text/html", "") for cell in code(executed) for output in cell.outputs)
    rows = re.findall(r"<th>([^<]+)</th>\s*<td>([^<]+)</td>\s*<td>([^<]+)</td>\s*</tr>", shown)
    beside = {name: (printed, computed) for name, printed, computed in rows}
    for erratum in errata:
        printed, computed = beside[erratum["value"]]
        assert printed == erratum["printed"]
        found, right = (re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text) for text in (computed, erratum["right"]))
        assert [float(number) for number in found] == [float(number) for number in right]


def test_no_value_of_the_errata_is_typed(lecture, errata):
    typed = numbers_of("\n".join(cell.source for cell in lecture.cells))
    assert typed & numbers_of(" ".join(f"{row['printed']} {row['right']}" for row in errata)) == set()


def test_prose_holds_no_results(lecture):
    """Its only numbers with a point are those of sections, such as 5.1."""
    assert numbers_of(prose(lecture)) - set(SECTIONS) == set()


def test_formulae_end_in_the_line_they_begin_in(lecture):
    """Else a line that begins with + or - is taken for an item of a list."""
    assert [line for line in prose(lecture).splitlines() if line.count("$") % 2] == []


def test_every_cell_checks_what_it_shows(lecture):
    checks = re.compile(r"^ *assert |^beside_print\(", re.MULTILINE)
    assert [cell.id for cell in code(lecture) if not checks.search(cell.source)] == ["imports", "bptt", "errata-table"]


def test_it_is_committed_without_outputs(lecture):
    assert [cell.id for cell in code(lecture) if cell.outputs or cell.execution_count is not None] == []


def test_it_is_committed_without_traces_of_a_machine(lecture):
    assert lecture.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [cell.id for cell in lecture.cells if cell.metadata] == []
