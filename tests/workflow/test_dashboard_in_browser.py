"""What a reader sees: the dashboard of the smoke experiment in a real browser.

The views are stored in a format that is internal to MLflow; these tests fail where a new version reads it differently.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import open_browser
from project import Project

NETWORKS = ["lstm-1x8-s1", "lstm-1x8-s2", "rnn-1x8-s1", "rnn-1x8-s2"]


@pytest.fixture(scope="module")
def links(smoke: Project) -> Iterator[dict[str, str]]:
    """The links that the dashboard prints, by title, while it runs; it is stopped as `make dashboard-stop` does."""
    program = [sys.executable, str(smoke.folder / "workflow/scripts/serve_dashboard.py"), "--results", "results"]
    process = subprocess.Popen(
        [*program, "--port", "0"], cwd=smoke.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        printed = []
        for line in process.stdout or ():
            printed.append(line)
            if line.startswith("Ctrl-C"):
                break
        yield dict(re.findall(r"^  (\S.{17}) .*\n +(http\S+)$", "".join(printed), flags=re.MULTILINE))
        subprocess.run([*program, "--stop"], cwd=smoke.folder, check=True)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()


@pytest.fixture(scope="module")
def page(links: dict[str, str]) -> Iterator[Any]:
    """A page of a browser without a window."""
    with open_browser() as browser:
        yield browser.new_page(viewport={"width": 1800, "height": 1400})


def seen(page: Any, links: dict[str, str], title: str, *texts: str) -> str:
    """Everything that can be read in a view, once all `texts` are there."""
    page.goto(links[f"{title:<18}"])
    for text in texts:
        page.get_by_text(text, exact=False).first.wait_for(timeout=90_000)
    return page.locator("body").inner_text()


def test_the_leaderboard_answers_which_model_is_best(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "Leaderboard", "best on valid", "mkn-3", "test/perplexity", "behind")
    assert re.search(r"even_process by char: \S+ is best, test perplexity 1\.\d+", text)
    order = [text.index(name) for name in ("true-source", "mkn-3\n", "mkn-1\n")]
    assert order == sorted(order), "sorted by the perplexity on valid"
    assert "sweep smoke" not in text


def test_learning_curves_show_every_network(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "Learning curves", *NETWORKS, "valid/epoch_perplexity", "train/epoch_perplexity")
    assert "mkn-3" not in text


def test_means_over_seeds_are_grouped_by_model(page: Any, links: dict[str, str]) -> None:
    seen(page, links, "Mean over seeds", "Group: lstm-1x8", "Group: rnn-1x8", "Valid, mean and spread over seeds")


def test_n_grams_stand_beside_networks(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "n-gram against RNN", "Group: mkn-3", "Group: lstm-1x8", "test/bits_per_char")
    assert "Request error" not in text
    assert "mkn-3-counts" not in text and "true-source" not in text  # the sixth n-gram on valid, and no model


def test_layers_and_hidden_units_are_drawn(page: Any, links: dict[str, str]) -> None:
    seen(page, links, "Layers x hidden", *NETWORKS, "Parallel Coordinates", "hidden", "test/perplexity")


def test_the_page_of_the_sweep_says_how_it_was_made(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "sweep smoke", "is best, test perplexity", "Child runs")
    page.get_by_text("Show more").first.click()
    page.get_by_text("snakemake --cores all --configfile config/smoke.yaml").first.wait_for()
    assert "lstm-1x8" in text


def ask(port: int, host: str = "127.0.0.1", **headers: str) -> int:
    """The status that the server at this address of the machine answers with."""
    connection = HTTPConnection(host, port, timeout=60)
    connection.request("POST", "/api/2.0/mlflow/experiments/search", '{"max_results": 1}',
                       {"Content-Type": "application/json"} | headers)  # fmt: skip
    return connection.getresponse().status


def test_only_this_machine_is_answered_and_no_page_of_another_site(links: dict[str, str]) -> None:
    """Another address of the machine, a name that somebody has pointed at it, and a script on somebody's page."""
    port = urlsplit(next(iter(links.values()))).port
    assert port is not None and ask(port) == 200
    with pytest.raises(ConnectionRefusedError):
        ask(port, host="127.0.0.2")
    assert ask(port, Host="evil.example") == 403
    assert ask(port, Origin="https://evil.example") == 403
