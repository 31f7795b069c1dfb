"""Publishing to an MLflow server with passwords: from the environment or MLflow's own file, and written nowhere."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import protected_server
import pytest
from dashboards import PROGRAM
from gate import until
from project import Project
from protected_server import NAME, PASSWORD

from seqlab.dashboard.session import SEARCH_PATH, open_socket, send_request
from seqlab.io.files import read_json

SMOKE = ("--configfile", "config/smoke.yaml")
GIVEN = {"MLFLOW_TRACKING_USERNAME": NAME, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
CHECK = [sys.executable, "-c", "from seqlab.cli.main import main; main()", "check-tracking", "--uri"]


def is_there(address: str) -> bool:
    try:
        send_request(address, {})
    except OSError as error:
        return "401" in str(error)
    return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server that asks for a password, and where it keeps what it is sent."""
    folder = tmp_path_factory.mktemp("server")
    with open_socket(0) as free:
        port = free.getsockname()[1]
    program = [sys.executable, protected_server.__file__, str(folder), str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(program, stdout=log, stderr=log)
    try:
        until(
            "the server answers",
            lambda: is_there(f"http://127.0.0.1:{port}/{SEARCH_PATH}"),
            lambda: process.poll() is None,
            (folder / "log").read_text,
        )
        yield f"http://127.0.0.1:{port}", folder
    finally:
        process.kill()
        process.wait()


def environment(**given: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")} | given


def test_a_password_from_the_environment_is_used_and_written_nowhere(
    finished: Project, server: tuple[str, Path]
) -> None:
    uri, folder = server
    (finished.folder / "results/smoke/tracking.json").unlink()
    given = {**GIVEN, "MLFLOW_TRACKING_URI": uri}
    done = finished.snakemake(*SMOKE, "--show-failed-logs", "--printshellcmds", **given)
    assert done.returncode == 0, done.stdout
    assert read_json(finished.folder / "results/smoke/tracking.json")["server"] == uri
    shown = subprocess.run([*PROGRAM, "--results", str(finished.folder / "results")], env=environment(**GIVEN),
                           capture_output=True, text=True)  # fmt: skip
    assert shown.returncode == 0 and f"{uri}/#/experiments" in shown.stdout, shown.stderr
    assert not (finished.folder / "results/.dashboard.json").exists(), "no dashboard is started"
    for printed in (done.stdout, shown.stdout, shown.stderr):
        assert PASSWORD not in printed and NAME not in printed
    files = [path for root in (finished.folder, folder) for path in root.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_a_password_from_the_file_of_mlflow_is_used(server: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / ".mlflow").mkdir()
    credentials = f"[mlflow]\nmlflow_tracking_username = {NAME}\nmlflow_tracking_password = {PASSWORD}\n"
    (tmp_path / ".mlflow/credentials").write_text(credentials)
    done = subprocess.run([*CHECK, server[0]], env=environment(HOME=str(tmp_path)), capture_output=True, text=True)
    assert done.returncode == 0 and "can be read and written" in done.stdout, done.stderr


def test_without_a_password_the_remedy_is_named(server: tuple[str, Path], tmp_path: Path) -> None:
    done = subprocess.run([*CHECK, server[0]], env=environment(HOME=str(tmp_path)), capture_output=True, text=True)
    assert done.returncode == 1
    assert "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in done.stderr


@pytest.mark.parametrize("way", ["configuration", "environment"])
def test_a_password_in_an_address_is_refused_before_anything_runs(finished: Project, way: str) -> None:
    address = f"http://{NAME}:{PASSWORD}@127.0.0.1:9"
    given = ["--config", f"tracking={{uri: '{address}'}}"] if way == "configuration" else []
    variables = {"MLFLOW_TRACKING_URI": address} if way == "environment" else {}
    (finished.folder / "results/smoke/tracking.json").unlink()
    done = finished.snakemake(*SMOKE, *given, "--", "results/smoke/tracking.json", **variables)
    assert done.returncode != 0 and "holds a name or a password" in done.stdout, done.stdout
    assert PASSWORD not in done.stdout
    logs = (finished.folder / ".snakemake").rglob("*")
    assert [path for path in logs if path.is_file() and PASSWORD.encode() in path.read_bytes()] == []
