"""The report as its reader has it: opened in a browser, clicked through, on a phone, in the dark, on paper."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from browser import open_browser
from made_results import NOTHING_TO_SPELL, make_results

from seqlab.io.files import write_text
from seqlab.io.runs import Experiment, Run
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions.verdicts import Verdict, answer
from seqlab.report.contents import figure_file
from seqlab.report.cost import plot_cost
from seqlab.report.figures import plot_perplexity_by_order
from seqlab.report.networks import plot_axes, plot_heat_maps, plot_learning_curves
from seqlab.report.page import write_report
from seqlab.report.style import save_figure
from seqlab.report.tables import summarize_texts

RUNS = 162
HOSTILE = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  width="600pt" height="90pt" onload="document.title = 'taken'"><script>document.title = "taken"</script>
  <style>body { display: none }</style>
  <animate attributeName="href" values="javascript:document.title"/><image href="https://example.org/a.png"/>
  <rect fill="url(https://example.org/a.svg)" width="9" height="9" onclick="document.title = 'taken'"/>
  <foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://example.org/"/></foreignObject>
  <a xlink:href="javascript:document.title = 'taken'"><rect width="600" height="90"/></a></svg>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of an experiment with 162 runs of networks."""
    root = tmp_path_factory.mktemp("report")
    folders = make_results(root, cells=("gru", "lstm", "rnn"), hidden=range(8, 80, 8))
    runs = [Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in folders]
    assert 3 * sum(run.family == "rnn" for run in runs) == RUNS
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1]
    place = runs[0].place
    write_table(place.file("models.csv"), models)
    verdicts = answer(runs)
    write_table(place.file("verdicts.csv"), tabulate_rows(Verdict, verdicts))
    for draw in (plot_perplexity_by_order, plot_heat_maps, plot_axes, plot_cost):
        save_figure(draw(models), figure_file(place, draw.__name__.removeprefix("plot_")))
    histories = {run.model: pd.read_csv(run.file("history.csv")) for run in runs if run.family == "rnn"}
    save_figure(plot_learning_curves(models, histories), figure_file(place, "learning_curves"))
    write_text(figure_file(place, "memory"), HOSTILE)
    prepared = {place: str(root / "results" / "corpora" / "toy" / "char")}
    output = root / "results" / "report.html"
    write_report(Experiment(place.experiment, "made", [], "snakemake", prepared, runs), {"commit": "abc"}, output)
    return output


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 71 models, half of them with names of about 200 characters."""
    root = tmp_path_factory.mktemp("crowded")
    folders = make_results(root, cells=("gru", "l" * 195), hidden=range(8, 24))
    runs = [Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in folders]
    models = summarize_texts(runs, NOTHING_TO_SPELL)[1]
    place = runs[0].place
    write_table(place.file("models.csv"), models)
    for draw in (plot_perplexity_by_order, plot_cost):
        save_figure(draw(models), figure_file(place, draw.__name__.removeprefix("plot_")))
    prepared = {place: str(root / "results" / "corpora" / "toy" / "char")}
    output = root / "results" / "report.html"
    write_report(Experiment(place.experiment, "made", [], "snakemake", prepared, runs), {"commit": "abc"}, output)
    return output


@pytest.fixture(scope="module")
def page(report: Path) -> Iterator[Any]:
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.asked, page.faults = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(report.as_uri())
        yield page


def first_column(page: Any) -> list[str]:
    rows = page.locator("table.sortable").first.locator("tbody.models tr:visible th")
    return [text.split()[0].removesuffix("best") for text in rows.all_inner_texts()]


def test_a_large_report_stays_small(report: Path) -> None:
    assert report.stat().st_size < 15e6


def test_it_asks_nothing_of_anybody_and_has_no_faults(page: Any, report: Path) -> None:
    assert page.asked == [report.as_uri()] and page.faults == []
    assert "Best model on validation: gru-2x72" in page.locator(".answer").inner_text()


def test_a_figure_is_an_image_whatever_it_holds(page: Any) -> None:
    figure = page.get_by_alt_text("Memory of toy, char")
    figure.click()
    assert figure.bounding_box()["width"] > 500
    assert page.title() == "seqlab, made: toy (char)" and page.locator("h1").is_visible()
    assert [url for url in page.asked if "example.org" in url] == []


def test_a_click_on_a_head_sorts_and_a_second_turns_it_round(page: Any) -> None:
    head = page.locator("table.sortable").first.get_by_role("button", name="test perplexity")
    head.click()
    upward = first_column(page)
    assert "2x72" in upward[0]
    assert upward[-1] == "mle-3"  # infinite
    head.click()
    assert first_column(page)[0] == "mle-3"
    assert sorted(first_column(page)) == sorted(upward)


def test_the_keyboard_sorts_too(page: Any) -> None:
    head = page.locator("table.sortable").first.get_by_role("button", name="validation perplexity")
    head.focus()
    page.keyboard.press("Enter")
    assert first_column(page)[0] == "gru-2x72" and first_column(page)[-1] == "mle-3"


def test_references_stand_below_the_models_in_every_order(page: Any) -> None:
    references = page.locator("tbody.references th").all_inner_texts()
    assert {text.split()[0] for text in references} == {"true-source", "xz"}
    assert not {"true-source", "xz"} & set(first_column(page))


def test_the_family_and_the_search_choose_rows(page: Any) -> None:
    tools = page.locator("[data-table]").first
    total = len(first_column(page))
    tools.locator("select").select_option("ngram")
    ngrams = first_column(page)
    assert "mkn-3" in ngrams and not [name for name in ngrams if "x" in name]
    tools.locator("select").select_option("")
    tools.locator("input").fill("gru 2x")
    assert {name.rpartition("x")[0] for name in first_column(page)} == {"gru-2"}
    assert tools.locator("output").inner_text() == f"9 of {total} models"
    tools.locator("input").fill("")
    assert len(first_column(page)) == total


def test_two_cards_stand_side_by_side_with_their_differences_marked(page: Any) -> None:
    pair = page.locator(".pair").last
    for place, model in enumerate(("lstm-1x8", "lstm-2x8")):
        pair.locator("select").nth(place).select_option(label=model)
    first, second = pair.locator("pre").all()
    assert "hidden: 8" in first.inner_text() and "hidden: 8" in second.inner_text()
    assert first.locator("mark", has_text="layers: 1").count() == 1
    assert second.locator("mark", has_text="layers: 2").count() == 1
    assert first.locator("mark", has_text="hidden").count() == 0


def test_the_chooser_of_samples_shows_the_chosen_model(page: Any) -> None:
    pair = page.locator(".pair").first
    pair.locator("select").nth(1).select_option(label="lstm-1x8")
    assert "a sample of lstm-1x8" in pair.locator("pre").nth(1).inner_text()


def test_the_words_in_which_two_samples_differ_are_marked(page: Any) -> None:
    pair = page.locator(".pair").first
    for place, model in enumerate(("mkn-3", "lstm-1x8")):
        pair.locator("select").nth(place).select_option(label=model)
    marks = [text.locator("mark").all_inner_texts() for text in pair.locator("pre").all()]
    assert marks == [["mkn-3"], ["lstm-1x8"]]
    pair.locator("select").nth(1).select_option(label="mkn-3")
    assert pair.locator("mark").count() == 0
    assert pair.locator("pre").nth(1).inner_text().strip() == "a sample of mkn-3"


def test_words_are_marked_where_they_stand(page: Any) -> None:
    texts = [["a", "b", "c", "b"], ["b", "c", "a", "b"]]
    assert page.evaluate("([first, second]) => findCommon(first, second)", texts) == [False, True, True, True]
    assert page.evaluate("'机器 learning'.match(WORDS)") == ["机", "器", " ", "learning"]


def find_figure(page: Any, label: str) -> Any:
    return page.locator("figure", has=page.locator(f"svg[aria-label^='{label}']"))


def test_a_point_under_the_pointer_says_its_name_and_value(page: Any) -> None:
    figure = find_figure(page, "Perplexity by order")
    plot = figure.locator("svg.plot")
    plot.scroll_into_view_if_needed()
    x, y = plot.evaluate(
        """plot => {
          const [x, y] = JSON.parse(plot.dataset.series).find(({ name }) => name === "mkn").points[1];
          const point = new DOMPoint(x, y).matrixTransform(plot.getScreenCTM());
          return [point.x, point.y];
        }"""
    )
    page.mouse.move(x, y)
    assert re.match(r"mkn: order .* 2, test perplexity [\d.]+$", figure.locator(".readout").inner_text())


def test_arrow_keys_go_from_point_to_point(page: Any) -> None:
    figure = find_figure(page, "Learning curves")
    figure.locator("svg.plot").focus()
    page.keyboard.press("ArrowRight")
    first = figure.locator(".readout").inner_text()
    page.keyboard.press("ArrowRight")
    second = figure.locator(".readout").inner_text()
    assert "epoch" in first and "validation perplexity" in first and first != second


def test_a_button_of_the_legend_hides_its_series_and_shows_it_again(page: Any) -> None:
    figure = find_figure(page, "Perplexity by order")
    button = figure.get_by_role("button", name="mkn", exact=True)
    name = figure.locator("svg.plot").evaluate(
        "plot => JSON.parse(plot.dataset.series).find(({ name }) => name === 'mkn').ids[0]"
    )
    line = page.locator(f"[id='{name}']")
    assert line.is_visible()
    button.click()
    assert button.get_attribute("aria-pressed") == "false" and not line.is_visible()
    entry = page.locator("[id='toy-char.perplexity_by_order.legend-0']")
    assert entry.evaluate("element => getComputedStyle(element).opacity") == "0.25"
    button.click()
    assert line.is_visible() and entry.evaluate("element => getComputedStyle(element).opacity") == "1"


@pytest.mark.parametrize("width", [390, 768])
def test_a_menu_opens_the_contents_on_a_narrow_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    links, menu = page.locator("#contents-list"), page.get_by_role("button", name="Contents")
    assert not links.is_visible()
    menu.click()
    assert links.is_visible()
    links.get_by_role("link", name="Models").first.click()
    assert not links.is_visible() and page.evaluate("location.hash") == "#toy-char.models"
    page.set_viewport_size({"width": 1440, "height": 900})
    assert links.is_visible() and not menu.is_visible()


def test_without_a_script_everything_is_shown(page: Any, report: Path) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(report.as_uri())
    assert still.locator("#contents-list").is_visible()
    assert still.locator("svg.plot").count() == 5
    card = still.locator("details", has_text="Settings of lstm-1x8").first
    card.locator("summary").click()
    assert "hidden: 8" in card.locator("pre").inner_text()
    context.close()


def test_links_lead_to_their_sections(page: Any) -> None:
    page.locator(".answer a").first.click()
    assert page.evaluate("location.hash") == "#toy-char"
    assert page.locator("#toy-char h2").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_is_wider_than_the_screen_but_what_scrolls_by_itself(page: Any, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1200, "height": 900})


@pytest.mark.parametrize("width", [390, 1440])
def test_many_models_with_long_names_stay_within_the_screen(page: Any, crowded: Path, width: int) -> None:
    other = page.context.browser.new_page(viewport={"width": width, "height": 800})
    other.goto(crowded.as_uri())
    assert other.evaluate("document.documentElement.scrollWidth") <= width
    board = other.get_by_role("region", name="Models of toy, char", exact=True)
    assert board.bounding_box()["height"] < 800
    head = board.locator("thead")
    board.evaluate("element => element.scrollBy(0, 2000)")
    assert abs(head.locator("th").first.bounding_box()["y"] - board.bounding_box()["y"]) <= 1
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_by_day_and_by_night(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    told = page.evaluate("['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])")
    ink, paper = sorted(luminance([int(part) for part in re.findall(r"\d+", colour)[:3]]) for colour in told)
    assert (paper + 0.05) / (ink + 0.05) > 7  # WCAG 2.1, level AAA
    page.emulate_media(color_scheme="light")


def luminance(colour: list[int]) -> float:
    """Relative luminance of a colour of sRGB, as WCAG 2.1 defines it."""
    parts = [c / 255 for c in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_on_paper_nothing_is_cut_off(page: Any) -> None:
    page.emulate_media(media="print")
    assert page.locator(".scroll").first.evaluate("element => getComputedStyle(element).overflowX") == "visible"
    page.emulate_media(media="screen")
