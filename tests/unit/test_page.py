"""The report stands alone, answers by valid, and says what is missing."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from made_results import NOTHING_TO_SPELL, make_results

from seqlab.errors import InputError
from seqlab.files import read_json, write_json
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.scores import read_scores
from seqlab.ledger.verdicts import Entry, verdicts
from seqlab.report.cost import cost
from seqlab.report.figures import layers_by_hidden, perplexity_by_order
from seqlab.report.page import inline_svg, write_report
from seqlab.report.style import save
from seqlab.report.tables import summarize, write_table

PROVENANCE = {"commit": "abc <1>", "python": "3.11"}
VOID = {"meta", "link", "br", "hr", "img", "input", "use", "path"}


class Page(HTMLParser):
    """Tags with their attributes, ids, and all text outside style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += re.sub(r"\s+", " ", data)


def experiment(root: Path, models: pd.DataFrame, unit: str = "char") -> None:
    base = root / "results" / "toy" / unit
    write_table(base / "models.csv", models)
    for draw in (perplexity_by_order, layers_by_hidden, cost):
        save(draw(models), base / "figures" / f"{draw.__name__}.svg")


def tables(root: Path, unit: str = "char") -> pd.DataFrame:
    folders = make_results(root, unit=unit)
    return summarize([folder / "metrics.json" for folder in folders], NOTHING_TO_SPELL)[1]


def report(root: Path, *units: str) -> Page:
    output = root / "results" / "report.html"
    write_report(root / "results", [("toy", unit) for unit in units or ("char",)], PROVENANCE, output)
    return Page(output.read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_asks_no_other_host(tmp_path: Path) -> None:
    for unit in ("char", "word"):
        experiment(tmp_path, tables(tmp_path, unit), unit)
    page = report(tmp_path, "char", "word")
    assert page.open == []
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{}]  # its own, which sorts tables
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;"))
    html = (tmp_path / "results" / "report.html").read_text()
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(\s*['\"]?([^)]*)", html))


def test_every_figure_has_a_name_and_ids_of_its_own(tmp_path: Path) -> None:
    for unit in ("char", "word"):
        experiment(tmp_path, tables(tmp_path, unit), unit)
    page = report(tmp_path, "char", "word")
    figures = [attributes for tag, attributes in page.tags if tag == "svg"]
    names = [figure["aria-label"] for figure in figures]
    assert len(figures) == 6 and len(set(names)) == 6 and all(figure["role"] == "img" for figure in figures)
    ids = Counter(attributes["id"] for _, attributes in page.tags if attributes.get("id"))
    assert max(ids.values()) == 1
    html = (tmp_path / "results" / "report.html").read_text()
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', html)
    assert len(used) > 100 and {first or second for first, second in used} <= set(ids)


def test_the_best_model_is_chosen_by_valid_and_quoted_from_test(tmp_path: Path) -> None:
    models = tables(tmp_path)
    test = models["split"] == "test"
    models.loc[(models["model"] == "lstm-1x8") & test, "perplexity"] = 1.2345  # tempting, but seen too late
    models.loc[(models["model"] == "mkn-1") & test, "perplexity"] = 1.1111
    models.loc[(models["model"] == "lstm-2x16") & test, ["perplexity", "perplexity_std"]] = [3.94, 0.03]
    models.loc[(models["model"] == "mkn-3") & test, "perplexity"] = 3.77
    experiment(tmp_path, models)
    text = report(tmp_path).text
    assert "Best on valid: lstm-2x16, test perplexity 3.940 ± 0.030 over 3 seeds" in text
    assert "The best n-gram on valid, mkn-3, has 3.770." in text
    assert "Known floor: perplexity 2.000" in text and "between 0.900 and 1.150" in text
    marked = re.findall(r"(\S+)best\b", text)
    assert marked == ["mkn-3", "lstm-2x16"]


def test_infinities_are_shown_with_what_made_them_and_never_as_nan(tmp_path: Path) -> None:
    experiment(tmp_path, tables(tmp_path))
    text = report(tmp_path).text
    assert "∞ (200 symbols of zero probability, 100.00 %)" in text
    assert not re.search(r"\b(nan|inf|None)\b", text, flags=re.IGNORECASE)


def test_no_model_is_best_where_all_are_infinite(tmp_path: Path) -> None:
    models = tables(tmp_path)
    experiment(tmp_path, models[models["model"].isin(["mle-3", "xz"])])
    page = report(tmp_path)
    text = page.text
    assert "No model has a finite perplexity on valid" in text and "Best on valid:" not in text
    assert "badge" not in {attributes.get("class") for _, attributes in page.tags}
    assert "No recurrent network was trained here." in text


def test_a_report_without_networks_says_so(tmp_path: Path) -> None:
    models = tables(tmp_path)
    experiment(tmp_path, models[models["family"] != "rnn"])
    text = report(tmp_path).text
    assert "Best on valid: mkn-3" in text and "No recurrent network was trained here." in text
    assert "No n-gram was trained here." not in text


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    models = tables(tmp_path)
    one = models["model"] == "lstm-1x8"
    models.loc[one, "seeds"] = 1
    models.loc[one, [name for name in models if name.endswith("_std")]] = float("nan")
    experiment(tmp_path, models)
    base = tmp_path / "results" / "toy" / "char"
    (base / "rnn" / "lstm-2x8" / "sample.txt").unlink()
    (base / "ngram" / "mkn-2" / "card.yaml").unlink()
    (base / "ngram" / "mkn-1" / "metrics.json").unlink()
    text = report(tmp_path).text
    for sentence in (
        "A sample of lstm-2x8 is missing.",
        "The card of mkn-2 is missing.",
        "The metrics of mkn-1 are missing",
        "The figure learning_curves.svg has not been drawn.",
        "lstm-1x8 was trained from one seed",
    ):
        assert sentence in text
    assert "sample of xz" not in text  # a compressor writes nothing


def test_words_are_said_to_be_a_closed_vocabulary(tmp_path: Path) -> None:
    experiment(tmp_path, tables(tmp_path, "word"), "word")
    text = report(tmp_path, "word").text
    assert (
        "The vocabulary is closed" in text
        and "<unk>" in text
        and "0.50 % of the scored test symbols (1 of 200)" in text
    )
    characters = tables(tmp_path).assign(unknown=0)
    experiment(tmp_path, characters)
    assert "The vocabulary is closed" not in report(tmp_path).text


def test_text_from_files_is_text_not_markup(tmp_path: Path) -> None:
    models = tables(tmp_path)
    experiment(tmp_path, models)
    folder = tmp_path / "results" / "toy" / "char" / "ngram" / "mkn-3"
    (folder / "sample.txt").write_bytes(b"<script>alert(1)</script> \xff")
    metrics = read_json(folder / "metrics.json")
    write_json(folder / "metrics.json", metrics | {"notes": ["order 3 uses <fixed> discounts"]})
    page = report(tmp_path)
    assert [tag for tag, _ in page.tags].count("script") == 1 and "<script>alert(1)</script>" in page.text
    assert "mkn-3: order 3 uses <fixed> discounts" in page.text and "abc <1>" in page.text
    assert "a sample of lstm-1x8" in page.text and "smoothing: mkn" in page.text


def test_the_page_fits_its_reader(tmp_path: Path) -> None:
    experiment(tmp_path, tables(tmp_path))
    html = (report(tmp_path), (tmp_path / "results" / "report.html").read_text())[1]
    assert "prefers-color-scheme: dark" in html and "@media print" in html and 'name="viewport"' in html


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    experiment(tmp_path, tables(tmp_path))
    report(tmp_path)
    first = (tmp_path / "results" / "report.html").read_bytes()
    report(tmp_path)
    assert (tmp_path / "results" / "report.html").read_bytes() == first


def test_damage_is_refused(tmp_path: Path) -> None:
    models = tables(tmp_path)
    experiment(tmp_path, models)
    with pytest.raises(InputError, match="at least one"):
        write_report(tmp_path / "results", [], {}, tmp_path / "report.html")
    with pytest.raises(InputError, match="not an SVG"):
        inline_svg("<html></html>", "a", "b")
    write_table(tmp_path / "results" / "toy" / "char" / "models.csv", models[models["split"] == "test"])
    with pytest.raises(InputError, match="lacks a split"):
        report(tmp_path)
    (tmp_path / "results" / "toy" / "char" / "models.csv").unlink()
    with pytest.raises(FileNotFoundError):
        report(tmp_path)


def test_what_pruning_lost_stands_beside_the_models_that_were_pruned(tmp_path: Path) -> None:
    models = tables(tmp_path)
    experiment(tmp_path, models)
    loss = models[(models["model"] == "mkn-3-counts-1-2") & (models["split"] == "test")]["pruning_loss"].iloc[0]
    page = report(tmp_path)
    assert f"{loss:+.4f} (25.00 % kept)" in page.text and page.text.count("% kept") == 1
    experiment(tmp_path, models[models["pruned_from"] == ""])
    assert "lost by pruning" not in report(tmp_path).text


def test_the_answer_says_whether_the_difference_is_real(tmp_path):
    models = tables(tmp_path)
    experiment(tmp_path, models)
    base = tmp_path / "results" / "toy" / "char"
    entries = [Entry(read_metrics(path), read_scores(path.with_name("scores.npz"))["test"])
               for path in sorted(base.glob("*/*/metrics.json"))]  # fmt: skip
    write_table(base / "verdicts.csv", verdicts(entries))
    write_report(tmp_path / "results", [("toy", "char")], PROVENANCE, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert re.search(
        r"The best n-gram on valid, mkn-3, has [0-9.]+, which is worse than lstm-2x16: \+0\.[0-9]+ bits per symbol, "
        r"95 % interval \+",
        page.text,
    )
    assert "bits per symbol more than lstm-2x16" in page.text
    assert "only a total is known" in page.text
    assert "verdicts.csv is missing" not in page.text


def test_without_verdicts_the_report_says_so(tmp_path):
    experiment(tmp_path, tables(tmp_path))
    write_report(tmp_path / "results", [("toy", "char")], PROVENANCE, tmp_path / "report.html")
    assert "verdicts.csv is missing" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_text_where_models_differ_is_coloured_and_escaped(tmp_path):
    experiment(tmp_path, tables(tmp_path))
    place = {"difference": -7.0, "at": 1, "tokens": ["a", "<", "b"], "differences": [0.0, -7.0, 2.0]}
    contrast = {"ngram": "mkn-3", "rnn": "lstm-2x16", "unit": "char", "places": [place]}
    write_json(tmp_path / "results" / "toy" / "char" / "contrast.json", contrast)
    write_report(tmp_path / "results", [("toy", "char")], PROVENANCE, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'a<span style="background:rgba(230, 159, 0,0.75)"><b>&lt;</b></span>' in page
    assert "(7.0 bits,\nmkn-3)" in page
    Page(page)
