"""What a reader sees: the dashboard of the smoke experiment in a real browser.

The views are stored in a format that is internal to MLflow; these tests fail where a new version reads it differently.
"""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from browser import open_browser
from dashboards import Dashboard, running
from project import Project

NETWORKS = ["lstm-1x8-s1", "lstm-1x8-s2", "rnn-1x8-s1", "rnn-1x8-s2"]
SHUT = ["Assistant", "New run", "Create", "Delete", "Rename", "Register", "Promote", "Prompts", "MCP", "Gateway",
        "Traces", "Webhooks", "Start Demo", "Edit description", "Edit tags", "Add tags"]  # fmt: skip
EDITING = ["Edit description", "Edit tags", "Open header dropdown menu"]


@pytest.fixture(scope="module")
def dashboard(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The dashboard of the smoke experiment, while it runs."""
    project = smoke.copy(tmp_path_factory.mktemp("dashboard"))
    with running(project.folder / "results") as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def links(dashboard: Dashboard) -> dict[str, str]:
    """The links that the dashboard prints, by title."""
    return dashboard.links


@pytest.fixture(scope="module")
def page(dashboard: Dashboard) -> Iterator[Any]:
    """A page of a browser without a window, in which the link with the token was opened once."""
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1800, "height": 1400})
        page.goto(dashboard.link)
        page.wait_for_url(f"{dashboard.address}#/experiments")
        yield page


def seen(page: Any, links: dict[str, str], title: str, *texts: str) -> str:
    """Everything that can be read in a view, once all `texts` are there."""
    page.goto("about:blank")
    page.goto(links[title])
    for text in texts:
        page.get_by_text(text, exact=False).first.wait_for(timeout=90_000)
    return page.locator("body").inner_text()


def test_the_leaderboard_answers_which_model_is_best(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "Leaderboard", "best on valid", "mkn-3", "test/perplexity", "behind")
    assert re.search(r"even_process by char: \S+ is best, test perplexity 1\.\d+", text)
    order = [text.index(name) for name in ("true-source", "mkn-3\n", "mkn-1\n")]
    assert order == sorted(order), "sorted by the perplexity on valid"
    assert "experiment smoke" not in text


def test_learning_curves_show_every_network(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "Learning curves", *NETWORKS, "valid/epoch_perplexity", "train/epoch_perplexity")
    assert "mkn-3" not in text


def test_means_over_seeds_are_grouped_by_model(page: Any, links: dict[str, str]) -> None:
    seen(page, links, "Mean over seeds", "Group: lstm-1x8", "Group: rnn-1x8", "Valid, mean and spread over seeds")


def test_n_grams_stand_beside_networks(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "n-gram against RNN", "Group: mkn-3", "Group: lstm-1x8", "test/bits_per_char")
    assert "Request error" not in text
    assert "mkn-3-counts" not in text and "true-source" not in text  # the sixth n-gram on valid, and no model


def test_the_axes_of_an_experiment_are_drawn(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "Axes of smoke", *NETWORKS, "Parallel Coordinates", "cell", "test/perplexity")
    assert "mkn-3" not in text


def test_the_page_of_the_sweep_says_how_it_was_made(page: Any, links: dict[str, str]) -> None:
    text = seen(page, links, "experiment smoke", "is best, test perplexity", "Child runs")
    page.get_by_text("Show more").first.click()
    page.get_by_text("snakemake --cores all --configfile config/smoke.yaml").first.wait_for()
    assert "lstm-1x8" in text


def controls(page: Any) -> list[str]:
    """What can be clicked or typed into on the page, by its text or its name for screen readers."""
    kinds = "a, button, input, [role=button], [role=tab], [role=menuitem]"
    names = "e => ((e.getAttribute('aria-label') || '') + ' ' + (e.innerText || '')).trim()"
    seen = f"kinds => [...document.querySelectorAll(kinds)].filter(e => e.checkVisibility()).map({names})"
    return [name for name in page.evaluate(seen, kinds) if name]


def visit(page: Any, address: str, text: str) -> list[str]:
    page.goto("about:blank")
    page.goto(address)
    page.get_by_text(text, exact=False).first.wait_for(timeout=90_000)
    return controls(page)


def places(dashboard: Dashboard) -> dict[str, str]:
    """Pages of every kind, and a text that stands on each."""
    network = "#/models/smoke.even_process-char-rnn"
    return {
        "#/": "even_process/char",
        "#/experiments/1": "experiment smoke",
        "#/experiments/1/models": "rnn-1x8",
        "#/models": "smoke.even_process-char-rnn",
        network: "Version 1",
        f"{network}/versions/1": "champion",
        "#/settings/general": "Theme preference",
    }


def test_nothing_on_the_pages_offers_what_is_shut(page: Any, dashboard: Dashboard) -> None:
    offered = {place: visit(page, dashboard.address + place, text) for place, text in places(dashboard).items()}
    offered |= {title: visit(page, link, "even_process") for title, link in dashboard.links.items()}
    assert all(offered.values())
    shut = re.compile(rf"\b({'|'.join(SHUT)})\b")
    assert [(place, name) for place, names in offered.items() for name in names if shut.search(name)] == []


def test_no_page_complains_that_something_is_shut(page: Any, dashboard: Dashboard, links: dict[str, str]) -> None:
    for address, text in {links["Leaderboard"]: "mkn-3", links["Learning curves"]: "valid/epoch_perplexity"}.items():
        visit(page, address, text)
        page.wait_for_load_state("networkidle")
        assert "no such page" not in page.locator("body").inner_text()


def test_artifacts_are_shown(page: Any, links: dict[str, str]) -> None:
    visit(page, links["experiment smoke"].replace("?", "/artifacts?"), "models.csv")
    page.get_by_text("models.csv", exact=True).first.click()
    page.get_by_text("Previewing").first.wait_for(timeout=90_000)
    page.get_by_text("figures", exact=True).first.click()
    page.get_by_text("cost.svg").first.click()
    picture = page.locator("img[src^='blob:'], img[src*='get-artifact'], img[src^='data:image/svg']").first
    picture.wait_for(timeout=90_000)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_the_page_of_a_model_tells_its_version(page: Any, dashboard: Dashboard) -> None:
    visit(page, f"{dashboard.address}#/models/smoke.even_process-char-ngram/versions/1", "champion")
    text = page.locator("body").inner_text()
    assert "Schema" in text and "Inputs" in text and "Source Run" in text


def test_a_view_can_be_saved_and_nothing_else(page: Any, dashboard: Dashboard, links: dict[str, str]) -> None:
    visit(page, links["Leaderboard"], "mkn-3")
    ask = """([key, path]) => fetch(`ajax-api/2.0/mlflow/${path}`, {method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify({experiment_id: "1", run_id: "x", key, value: "{}"})}).then(answer => answer.status)"""
    tag = "experiments/set-experiment-tag"
    asked = {(key, path): page.evaluate(ask, [key, path]) for key, path in [
        ("mlflow.sharedViewState.mine", tag), ("mlflow.note.content", tag), ("x", "runs/set-tag"),
    ]}  # fmt: skip
    assert list(asked.values()) == [200, 404, 404]


def test_the_token_leaves_the_address_and_no_script_can_read_the_cookie(page: Any, dashboard: Dashboard) -> None:
    page.goto(dashboard.link)
    page.wait_for_url(f"{dashboard.address}#/experiments")
    (cookie,) = page.context.cookies(dashboard.address)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", dashboard.key.base)
    assert page.evaluate("document.cookie") == ""


def test_a_server_on_another_port_is_not_sent_the_cookie_and_its_pages_learn_nothing(
    page: Any, dashboard: Dashboard
) -> None:
    """Browsers send cookies to every port of a machine: that of another account would be such a port."""
    cookies: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookies.append(self.headers.get("Cookie", ""))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{server.server_port}/page")
        search = f"{dashboard.address}ajax-api/2.0/mlflow/experiments/search?max_results=1"
        ask = """([address, mode]) => fetch(address, {credentials: "include", mode}).then(
            answer => answer.type + answer.status, error => "refused")"""
        assert page.evaluate(ask, [search, "cors"]) == "refused"
        assert page.evaluate(ask, [search, "no-cors"]) in ("refused", "opaque0")
        framed = """address => new Promise(done => { const frame = document.createElement("iframe");
            frame.src = address; frame.onload = () => done(frame.contentDocument === null ? "closed" : "open");
            document.body.append(frame); })"""
        assert page.evaluate(framed, f"{dashboard.address}#/experiments") == "closed"
        server.shutdown()
    assert cookies and set(cookies) == {""}


def test_a_browser_that_has_not_opened_the_link_is_told_to(page: Any, dashboard: Dashboard) -> None:
    with page.context.browser.new_context() as context:
        stranger = context.new_page()
        answer = stranger.goto(f"{dashboard.address}#/experiments")
        assert answer.status == 401
        assert "open the link with the token" in stranger.locator("body").inner_text()


def test_runs_are_edited_on_the_page_of_a_writable_dashboard(page: Any, finished: Project) -> None:
    with running(finished.folder / "results", "--writable") as dashboard:
        page.goto(dashboard.link)
        page.wait_for_url(f"{dashboard.address}#/experiments")
        names = visit(page, dashboard.links["experiment smoke"], "is best, test perplexity")
        assert [name for name in EDITING if not any(name in offered for offered in names)] == []
        page.get_by_label("Open header dropdown menu").click()
        page.get_by_text("Rename").click()
        page.get_by_role("textbox").last.fill("renamed by hand")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("heading", name="renamed by hand").wait_for(timeout=90_000)
