"""The report stands alone, answers by valid, and says what is missing."""

import math
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_results import NOTHING_TO_SPELL, keep_falling, make_results

from seqlab.audit.experiment import AuditRow
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.io.runs import Experiment, Place, Run
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions import reproduction
from seqlab.questions.gaps import GapRow
from seqlab.questions.subject import Subject
from seqlab.questions.verdicts import Verdict, answer
from seqlab.report.contents import figure_file, list_report_files
from seqlab.report.cost import plot_cost
from seqlab.report.figures import plot_perplexity_by_order
from seqlab.report.networks import plot_heat_maps
from seqlab.report.page import make_anchor, write_report
from seqlab.report.style import format_number, save_figure
from seqlab.report.tables import summarize_texts
from seqlab.text.vocab import Vocab

PROVENANCE = {"commit": "abc <1>", "python": "3.11"}
VOID = {"meta", "link", "br", "hr", "img", "input", "use", "path"}


class Page(HTMLParser):
    """Tags with their attributes, ids, and all text outside style and script."""

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
        if not {"style", "script"} & set(self.open):
            self.text += re.sub(r"\s+", " ", data)


class Made:
    """An experiment on one corpus, cut into some units, with its tables and some of its figures."""

    def __init__(self, root: Path, *units: str) -> None:
        folders = [folder for unit in units for folder in make_results(root, unit=unit)]
        runs = [Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in folders]
        prepared = {run.place: str(root / "results" / "corpora" / "toy" / run.unit) for run in runs}
        self.experiment = Experiment(runs[0].experiment, "made", [], "snakemake --cores all", prepared, runs)
        self.output = root / "report.html"

    def place(self, unit: str = "char") -> Place:
        return Place(self.experiment.folder, "toy", unit)

    def run(self, model: str) -> Run:
        return next(run for run in self.experiment.runs if run.model == model)

    def models(self, unit: str = "char", kept: Callable[[Run], bool] = lambda run: True) -> pd.DataFrame:
        runs = [run for run in self.experiment.runs if run.unit == unit and kept(run)]
        return summarize_texts(runs, NOTHING_TO_SPELL)[1]

    def write_models(self, models: pd.DataFrame, unit: str = "char") -> None:
        """Write models.csv and the figures that need nothing else, and list no runs but those of the table."""
        place = self.place(unit)
        kept = {(unit, *names) for names in zip(models["family"], models["model"], strict=True)}
        runs = [run for run in self.experiment.runs if run.unit != unit or run[2:] in kept]
        self.experiment = self.experiment._replace(runs=runs)
        write_table(place.file("models.csv"), models)
        for draw in (plot_perplexity_by_order, plot_heat_maps, plot_cost):
            save_figure(draw(models), figure_file(place, draw.__name__.removeprefix("plot_")))

    def html(self) -> str:
        write_report(self.experiment, PROVENANCE, self.output)
        return self.output.read_text(encoding="utf-8")

    def page(self) -> Page:
        return Page(self.html())


@pytest.fixture
def made(tmp_path: Path) -> Made:
    experiment = Made(tmp_path, "char")
    experiment.write_models(experiment.models())
    return experiment


@pytest.fixture
def of_two_units(tmp_path: Path) -> Made:
    experiment = Made(tmp_path, "char", "word")
    for unit in ("char", "word"):
        experiment.write_models(experiment.models(unit), unit)
    return experiment


def test_the_page_is_well_formed_and_asks_no_other_host(of_two_units: Made) -> None:
    page = of_two_units.page()
    assert page.open == []
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{}]  # its own
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            starts = ("#", "data:image/svg+xml;base64,", "data:image/png;base64,") + ("results/made/toy/",) * (
                tag == "a"
            )
            assert (attributes.get(name) or "#").startswith(starts)
    html = of_two_units.html()
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(\s*['\"]?([^)]*)", html))


def test_every_figure_has_a_name_and_every_section_an_id(of_two_units: Made) -> None:
    page = of_two_units.page()
    plots = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("class") == "plot"]
    names = [attributes["aria-label"] for attributes in plots]
    assert len(names) == len(set(names)) == 6
    ids = Counter(attributes["id"] for _, attributes in page.tags if attributes.get("id"))
    assert max(ids.values()) == 1
    assert set(re.findall(r'href="#([^"]+)"', of_two_units.html())) <= set(ids)


def test_sections_of_different_corpora_have_different_ids() -> None:
    names = ["a_b", "a-b", "война", "мир", "мiр", "a.b"]
    assert len({make_anchor(Place("results/made", name, "char")) for name in names}) == len(names)
    assert make_anchor(Place("results/made", "toy", "char")) == "toy-char"


def test_the_report_reads_what_it_lists_and_nothing_else(of_two_units: Made, tmp_path: Path) -> None:
    for unit in ("char", "word"):
        findings = [{"sentence": f"The {unit} text is short."}]
        write_json(of_two_units.place(unit).file("check.json"), {"findings": findings})
    write_json(tmp_path / "results/corpora/toy/source.json", {"title": "Toys", "source": "data/toy.txt"})
    verdicts = answer(of_two_units.experiment.runs[:11])
    write_table(of_two_units.place("char").file("verdicts.csv"), tabulate_rows(Verdict, verdicts))
    expected = of_two_units.html()
    listed = {Path(path) for path in list_report_files(of_two_units.experiment.prepared, of_two_units.experiment.runs)}
    for path in sorted((tmp_path / "results").rglob("*")):
        if path.is_file() and path not in listed:
            path.unlink()
    assert of_two_units.html() == expected
    assert "The char text is short." in expected and "lstm-2x16" in expected


CELL: dict[str, Any] = {
    "source": "A paper, table 1",
    "evidence": "memory",
    "unit": "bits",
    "protocol": "stream",
    "tolerance": 0.01,
}
CELL |= {"run": {"cell": "lstm"}}


def test_the_report_has_the_verdicts_on_published_values(made: Made) -> None:
    subject = Subject(made.experiment.runs, {"test": []}, Vocab([]))
    cells = [CELL | {"name": "LSTM <1>", "printed": 0.5}, CELL | {"name": "another", "printed": 9.0}]
    rows = reproduction.answer(subject, {"cells": cells}, 20)
    write_table(made.place().file("published.csv"), tabulate_rows(reproduction.ReproductionRow, rows))
    assert "printed values" not in made.page().text  # of another configuration
    made.experiment = made.experiment._replace(published="A paper (1999)")
    page = made.page()
    assert page.open == []
    assert "2 printed values of A paper (1999): 1 not reached, 1 better." in page.text
    assert "LSTM <1>" in page.text and "A paper, table 1 (memory)" in page.text


def test_the_report_has_the_cost_of_answers_where_a_source_asks(made: Made) -> None:
    def row(model: str, seed: str, bits: float) -> GapRow:
        return GapRow("second text", "rnn", model, seed, 0, math.inf, 1234, bits)

    rows = [row("lstm-2x16", "1", 0.25), row("lstm-2x16", "2", 0.75)]
    write_table(made.place().file("gaps.csv"), tabulate_rows(GapRow, rows))
    assert "An answer costs" not in made.page().text
    metrics = Path(made.run("true-source").file("metrics.json"))
    rates = {"symbols": "12", "share": 0.1, "floor": 0.0, "chance": 1.585}
    write_json(metrics, read_json(metrics) | {"answers": rates})
    made.experiment = made.experiment._replace(answers=(made.place(),))
    models = made.models()
    costs = models["family"].map({"rnn": 0.125}).astype(float)  # unknown for the others
    made.write_models(models.assign(bits_per_answer=costs, bits_per_answer_std=0.0625))
    page = made.page()
    assert page.open == []
    assert "An answer costs 0.000 bits at best, and 1.585 bits by chance" in page.text
    assert "lstm-2x16 pays 0.125 ± 0.062 on test" in page.text
    assert (
        '<th scope="col">bits per answer</th>\n<th scope="col" aria-sort="ascending">validation perplexity</th>'
        in made.html()
    )
    assert "<td>1,234</td>\n<td>0.500</td><td>0.250</td><td>0.750</td>" in made.html()


def test_a_broken_law_is_part_of_the_answer(made: Made) -> None:
    row = AuditRow("rnn", "lstm-1x8", "1", "causal", 0.5, 1e-6, "bits", "broken", "place 3 changes place 2")
    write_table(made.place().file("audit.csv"), tabulate_rows(AuditRow, [row]))
    made.experiment = made.experiment._replace(audited=(made.place(),))
    page = made.page()
    assert page.open == []
    assert page.text.count("lstm-1x8 seed 1 breaks the law 'causal': place 3 changes place 2.") == 2
    assert ("a", {"href": "toy/char/audit.csv"}) in page.tags


def test_the_report_says_which_file_a_corpus_is(made: Made, tmp_path: Path) -> None:
    assert "Toys" not in made.page().text
    write_json(tmp_path / "results/corpora/toy/source.json", {"title": "Toys <1>", "source": "data/a/input.txt"})
    assert "Toys <1> (data/a/input.txt)." in made.page().text


def test_the_report_says_what_experiment_it_is_of(made: Made) -> None:
    html = made.html()
    assert "<title>seqlab, made: toy (char)</title>" in html
    assert "Experiment made; command: <code>snakemake --cores all</code>" in html


def test_the_best_model_is_chosen_by_valid_and_quoted_from_test(made: Made) -> None:
    models = made.models()
    test = models["split"] == "test"
    models.loc[(models["model"] == "lstm-1x8") & test, "perplexity"] = 1.2345  # tempting, but seen too late
    models.loc[(models["model"] == "mkn-1") & test, "perplexity"] = 1.1111
    models.loc[(models["model"] == "lstm-2x16") & test, ["perplexity", "perplexity_std"]] = [3.94, 0.03]
    models.loc[(models["model"] == "mkn-3") & test, "perplexity"] = 3.77
    made.write_models(models)
    text = made.page().text
    assert "Best model on validation: lstm-2x16, test perplexity 3.940 ± 0.030 over 3 seeds" in text
    assert "The best n-gram (chosen on the validation split), mkn-3, has 3.770." in text
    assert "Known floor: perplexity 2.000" in text and "between 0.900 and 1.150" in text
    marked = re.findall(r"(\S+)best\b", text)
    assert marked == ["lstm-2x16", "mkn-3"]


def test_infinities_are_shown_with_what_made_them_and_never_as_nan(made: Made) -> None:
    text = made.page().text
    assert "∞ (200 symbols of zero probability, 100.00 %)" in text
    assert not re.search(r"\b(nan|inf|None)\b", text, flags=re.IGNORECASE)


def test_no_model_is_best_where_all_are_infinite(made: Made) -> None:
    made.write_models(made.models(kept=lambda run: run.model in ("mle-3", "xz")))
    page = made.page()
    text = page.text
    assert "No model has a finite perplexity on validation" in text and "Best model on validation:" not in text
    assert "badge" not in {attributes.get("class") for _, attributes in page.tags}
    assert "No recurrent network was trained." in text


def test_a_report_without_networks_says_so(made: Made) -> None:
    made.write_models(made.models(kept=lambda run: run.family != "rnn"))
    text = made.page().text
    assert "Best model on validation: mkn-3" in text and "No recurrent network was trained." in text
    assert "No n-gram was trained." not in text


def test_what_is_missing_is_named(made: Made) -> None:
    models = made.models()
    one = models["model"] == "lstm-1x8"
    models.loc[one, "seeds"] = 1
    models.loc[one, [name for name in models if name.endswith("_std")]] = float("nan")
    made.write_models(models)
    for model, file in (("lstm-2x8", "sample.txt"), ("mkn-2", "card.yaml"), ("mkn-1", "metrics.json")):
        Path(made.run(model).file(file)).unlink()
    text = made.page().text
    for sentence in (
        "A sample of lstm-2x8 is missing.",
        "The card of mkn-2 is missing.",
        "The metrics and notes of mkn-1 are missing",
        "The figure learning_curves.svg is missing.",
        "lstm-1x8 was trained from one seed",
        "verdicts.csv is missing",
    ):
        assert sentence in text
    assert "sample of xz" not in text  # a compressor writes nothing


def test_a_run_that_failed_stops_the_tables_and_the_report_names_it(made: Made) -> None:
    failed = made.run("lstm-1x8")
    metrics = failed.file("metrics.json")
    assert metrics in list_report_files(made.experiment.prepared, made.experiment.runs)  # no report before it is there
    Path(metrics).unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(metrics)):
        made.models()
    models = made.models(kept=lambda run: run != failed)
    write_table(made.place().file("models.csv"), models)
    assert "lstm-1x8 is not in models.csv." in made.page().text


def test_a_page_of_500_models_folds_long_lists_and_scrolls_its_leaderboard(made: Made) -> None:
    models = made.models()
    pattern, run = models[models["model"] == "lstm-1x8"], made.run("lstm-1x8")
    names = [f"lstm-1x8-seed~{number}" for number in range(500)]
    copies = [pattern.assign(model=name, seeds=1) for name in names]
    write_table(made.place().file("models.csv"), pd.concat([models, *copies]))
    runs = [*made.experiment.runs, *(run._replace(model=name) for name in names)]
    made.experiment = made.experiment._replace(runs=runs)
    page = made.page()
    assert page.open == [] and all(name in page.text for name in names)
    tags = [tag for tag, _ in page.tags]
    first_list = tags.index("ul", tags.index("main"))  # of the missing files, four for each of 500 runs
    assert tags[first_list - 2 : first_list] == ["details", "summary"]
    assert ("scroll tall", "Models of toy, char") in {
        (attributes.get("class"), attributes.get("aria-label")) for _, attributes in page.tags
    }


def test_runs_and_table_that_do_not_belong_together_are_named(made: Made) -> None:
    whole = made.experiment
    write_table(made.place().file("models.csv"), made.models()[lambda models: models["model"] != "mkn-2"])
    assert "mkn-2 is not in models.csv." in made.page().text
    made.experiment = whole._replace(runs=[run for run in whole.runs if run.model != "mkn-1"])
    with pytest.raises(InputError, match=r"models\.csv is damaged \(it has ngram/mkn-1, which the experiment lacks"):
        made.page()


def test_words_are_said_to_be_a_closed_vocabulary(of_two_units: Made) -> None:
    of_two_units.write_models(of_two_units.models().assign(unknown=0))
    text = of_two_units.page().text
    assert text.count("The vocabulary is closed") == 1 and "<unk>" in text
    assert "0.50 % of the scored test symbols (1 of 200)" in text


def test_text_from_files_is_text_not_markup(made: Made) -> None:
    run = made.run("mkn-3")
    Path(run.file("sample.txt")).write_bytes(b"<script>alert(1)</script> \xff")
    metrics = read_json(run.file("metrics.json"))
    write_json(run.file("metrics.json"), metrics | {"notes": ["order 3 uses <fixed> discounts"]})
    page = made.page()
    assert [tag for tag, _ in page.tags].count("script") == 1 and "<script>alert(1)</script>" in page.text
    assert "mkn-3: order 3 uses <fixed> discounts" in page.text and "abc <1>" in page.text
    assert "a sample of lstm-1x8" in page.text and "smoothing: mkn" in page.text


def test_the_page_fits_its_reader(made: Made) -> None:
    html = made.html()
    assert "prefers-color-scheme: dark" in html and "@media print" in html and 'name="viewport"' in html


def test_the_same_results_give_the_same_page(made: Made) -> None:
    made.page()
    first = made.output.read_bytes()
    made.page()
    assert made.output.read_bytes() == first


def test_damage_is_refused(made: Made) -> None:
    with pytest.raises(InputError, match=r"runs\.json lists no run"):
        write_report(made.experiment._replace(runs=[]), {}, made.output)
    with pytest.raises(InputError, match=r"runs\.json is damaged \(it has no prepared toy by char\)"):
        write_report(made.experiment._replace(prepared={}), {}, made.output)
    models = made.models()
    write_table(made.place().file("models.csv"), models[models["split"] == "test"])
    with pytest.raises(InputError, match="lacks a split"):
        made.page()
    Path(made.place().file("models.csv")).unlink()
    with pytest.raises(FileNotFoundError):
        made.page()


def test_what_pruning_lost_stands_beside_the_models_that_were_pruned(made: Made) -> None:
    models = made.models()
    loss = models[(models["model"] == "mkn-3-counts-1-2") & (models["split"] == "test")]["pruning_loss"].iloc[0]
    page = made.page()
    assert f"{loss:+.4f} (25.00 % kept)" in page.text and page.text.count("% kept") == 1
    made.write_models(models[models["pruned_from"] == ""])
    assert "lost by pruning" not in made.page().text


def test_the_answer_says_whether_the_difference_is_real(made: Made) -> None:
    verdicts = answer(made.experiment.runs)
    write_table(made.place().file("verdicts.csv"), tabulate_rows(Verdict, verdicts))
    text = made.page().text
    assert re.search(
        r"The best n-gram \(chosen on the validation split\), mkn-3, has [0-9.]+ and is 0\.[0-9]+ bits per symbol "
        r"worse than lstm-2x16 \(95 % interval 0\.[0-9]+ to 0\.[0-9]+\)\.",
        text,
    )
    assert "bits per symbol above lstm-2x16" in text
    assert "only a total is known" in text
    assert "verdicts.csv is missing" not in text


def test_the_text_where_models_differ_is_coloured_and_escaped(made: Made) -> None:
    place = {"difference": -7.0, "at": 1, "tokens": ["a", "<", "b"], "differences": [0.0, -7.0, 2.0]}
    contrast = {"ngram": "mkn-3", "rnn": "lstm-2x16", "unit": "char", "places": [place]}
    write_json(made.place().file("contrast.json"), contrast)
    page = made.html()
    assert 'a<span style="background:rgba(230, 159, 0,0.75)"><b>&lt;</b></span>' in page
    assert "(7.0 bits,\nmkn-3)" in page
    Page(page)


def test_an_underfitted_network_is_marked_and_the_comparison_not_settled(made: Made) -> None:
    assert "underfitted" not in made.page().text
    for model in ("lstm-1x8", "lstm-2x16"):
        keep_falling(made.run(model))
    made.write_models(made.models())
    text = made.page().text
    assert (
        "The comparison is not settled, because 2 networks are underfitted: lstm-1x8 (still falling) and lstm-2x16 "
        "(still falling). Remedy for still falling: more rnn.training.epochs."
    ) in text
    marked = re.findall(r"(lstm-\dx\d+)(?:best)? ?underfitted: still falling", text)
    assert marked == ["lstm-2x16", "lstm-1x8"]


def test_the_best_are_compared_at_equal_cost(made: Made) -> None:
    for model, seconds in {"lstm-2x16": 60.0, "mkn-3": 0.5}.items():
        path = made.run(model).file("metrics.json")
        write_json(path, read_json(path) | {"train_seconds": seconds})
    models = made.models()
    made.write_models(models)
    test = models[models["split"] == "test"].set_index("model")["perplexity"]
    text = made.page().text
    # lstm-2x16 has 512 parameters and mkn-3 1,000, so the best n-gram within 512 is the pruned one of 250
    assert "With no more parameters than lstm-2x16 (512;" in text
    assert (
        f"the best n-gram is mkn-3-counts-1-2, test perplexity {format_number(test['mkn-3-counts-1-2'])}, against "
        f"{format_number(test['lstm-2x16'])} ±"
    ) in text
    assert "In no more training time than mkn-3 (0.50 seconds), there is no recurrent network." in text
    rows = re.findall(r"<tr.*?</tr>", made.html(), flags=re.DOTALL)
    (pruned,) = (row for row in rows if ">mkn-3-counts-1-2</th>" in row)
    assert f">lstm-2x8, {format_number(test['lstm-2x8'])}</td>" in pruned  # 128 parameters
    (best,) = (row for row in rows if ">lstm-2x16<" in row)
    assert best.count(">this model</td>") == 2


def test_the_summary_says_what_is_best_by_how_much_what_it_cost_and_what_comes_next(made: Made) -> None:
    write_table(made.place().file("verdicts.csv"), tabulate_rows(Verdict, answer(made.experiment.runs)))
    text = made.page().text
    assert re.search(
        r"lstm-2x16 predicts this text best: [\d.]+ bits per character, perplexity [\d.]+\. It is 0\.\d+ bits per "
        r"symbol better than mkn-3 \(95 % interval 0\.\d+ to 0\.\d+\), and this is settled on this text\. It has 512 "
        r"parameters and took [\d.]+ s of training of 3 seeds\. Next: try more hidden units \(rnn\.hidden\)",
        text,
    )


def test_a_single_model_has_nothing_to_be_compared_with(made: Made) -> None:
    made.write_models(made.models(kept=lambda run: run.model == "mkn-2"))
    page = made.page()
    assert page.open == []
    assert "There is no other model to compare with." in page.text and "train a recurrent network" in page.text


def test_samples_of_any_script_keep_their_text_and_direction(made: Made) -> None:
    samples = {"mkn-3": "שלום עולם", "mkn-2": "机器学习", "mkn-1": '</pre><img src=x onerror="1">'}
    for model, sample in samples.items():
        Path(made.run(model).file("sample.txt")).write_text(sample, encoding="utf-8")
    page = made.page()
    assert page.open == [] and all(sample in page.text for sample in samples.values())
    directions = {attributes["dir"] for tag, attributes in page.tags if tag == "pre"}
    assert directions == {"auto"}
    assert not [tag for tag, attributes in page.tags if "onerror" in attributes]


def test_the_files_of_a_run_are_linked_from_the_folder_of_the_page(made: Made) -> None:
    made.output = Path(made.experiment.folder) / "report.html"
    page = made.page()
    links = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]
    assert "toy/char/ngram/mkn-3/card.yaml" in links and "toy/char/rnn/lstm-2x16/scores.npz" in links
    assert all((made.output.parent / link).is_file() for link in links if link.endswith("card.yaml"))
