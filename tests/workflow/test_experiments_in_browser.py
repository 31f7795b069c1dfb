"""Two experiments on one text stand side by side in MLflow, as a reader sees them in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from browser import open_browser
from mlflow_server import MlflowServer
from tracked import SMALL, Tree, grow, make_database, make_worse

from seqlab.tracking.views.catalogue import TEXT_VIEWS


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Two experiments with the same models, of which the second is worse on test; both are published."""
    root = tmp_path_factory.mktemp("side_by_side")
    first = grow(root, make_database(tmp_path_factory.mktemp("empty")), SMALL, "plain")
    second = grow(root, None, SMALL, "bad")
    make_worse(second.run("mkn-1"), seed=None)
    first.track(), second.track()
    return first


@pytest.fixture(scope="module")
def server(tree: Tree) -> Iterator[str]:
    served = MlflowServer(tree.uri)
    served.start()
    yield served.uri
    served.kill()


@pytest.fixture(scope="module")
def page(server: str) -> Iterator[Any]:
    with open_browser() as browser:
        yield browser.new_page(viewport={"width": 1800, "height": 1400})


def seen(page: Any, server: str, tree: Tree, link: str, *texts: str) -> str:
    """Everything that can be read in a view, once all `texts` are there."""
    (view,) = (view for view in TEXT_VIEWS if view.link == link)
    page.goto(server + view.address(tree.client().get_experiment_by_name("toy/char").experiment_id))
    for text in texts:
        page.get_by_text(text, exact=False).first.wait_for(timeout=90_000)
    return page.locator("body").inner_text()


def test_the_leaderboard_names_the_experiment_of_each_run(page: Any, server: str, tree: Tree) -> None:
    text = seen(page, server, tree, "leaderboard", "lstm-1x8-s1", "mkn-1", "test/perplexity")
    lines = text.splitlines()
    assert [lines.count(word) for word in ("lstm-1x8-s1", "mkn-1", "plain", "bad")] == [2, 2, 4, 4]
    assert "toy by char: bad: lstm-1x8 is best" in text and "; plain: lstm-1x8 is best" in text


def test_experiments_are_compared_model_by_model(page: Any, server: str, tree: Tree) -> None:
    groups = [f"Group: {model} of {name}" for model in SMALL for name in ("plain", "bad")]
    assert all(group in seen(page, server, tree, "experiments", *groups) for group in groups)


def test_means_over_seeds_are_those_of_one_experiment(page: Any, server: str, tree: Tree) -> None:
    text = seen(page, server, tree, "seeds", "Group: lstm-1x8 of plain", "Group: lstm-1x8 of bad")
    assert "Group: lstm-1x8\n" not in text
