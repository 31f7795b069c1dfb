"""Every bad input that is kept ends with its one sentence, and so does everything like it that chance makes up.

tests/workflow/bad_input.jsonl has a line for each: where the input goes, what it is, and what the sentence must hold.
"""

import copy
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from downloads import DESCRIPTION
from programs import COMMANDS, files_as_they_were, make_experiment, run
from snakemake.utils import update_config

from seqlab.configuration import check_corpora, find_longest_need, prepared_name, resolve_corpora, text_runs
from seqlab.io.cards import read_card
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, remove_file
from seqlab.io.runs import Run, choose_experiment_name
from seqlab.ngram.arpa import read_arpa
from seqlab.published import assign_cells
from seqlab.series.definitions import add_series, list_forecast_runs, prepared_series_name
from seqlab.series.series import build_series
from seqlab.series.splits import prepare_series
from seqlab.text.cleaning import apply_cleaning
from seqlab.text.corpora import fetch_corpus
from seqlab.text.definitions import load_corpora
from seqlab.text.reading import check_text
from seqlab.text.splits import divide_text

ROOT = Path(__file__).parents[2]
KEPT = [json.loads(line) for line in (ROOT / "tests/workflow/bad_input.jsonl").read_text().splitlines()]
FUZZED = int(os.environ.get("SEQLAB_FUZZED", "150"))  # how many inputs chance makes up for each kind
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
CORPORA = load_corpora(ROOT / "config/corpora.yaml")
SERIES = yaml.safe_load((ROOT / "config/series.yaml").read_text())
SPLIT = {"train": 0.9, "valid": 0.05, "test": 0.05}
SHARES = {"train": 0.5, "valid": 0.2, "test": 0.3}
ODD = [None, -1, 0, 1.5, "x", "", [], {}, True, [1], 10**30, float("nan"), "../../evil", "n" * 5000, "$(touch evil)"]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working folder, with a small finished experiment; what would leave it lands beside it."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    before, work = Path.cwd(), tmp_path_factory.mktemp("outer") / "work"
    work.mkdir()
    os.chdir(work)
    make_experiment()
    yield work
    os.chdir(before)
    for number, handler in handlers.items():  # train_rnn has put its own in their place
        signal.signal(number, handler)
    assert [path.name for path in work.parent.iterdir()] == ["work"]


def sentence(case: dict[str, Any]) -> str | None:
    """What a user is told of a bad input, None where it is taken; any other exception would be a traceback."""
    try:
        return CHECKS[case["where"]](case["what"])
    except InputError as error:
        return str(error)


def configuration(overlay: dict[str, Any]) -> None:
    """What the Snakefile does with a file of configuration over the default one."""
    config = copy.deepcopy(DEFAULT)
    update_config(config, overlay)
    corpora = resolve_corpora(config, CORPORA)
    series = add_series(config, SERIES)
    choose_experiment_name(config.get("experiment"), [])
    settings = {}
    for name in config["corpora"]:
        for unit in [unit for unit in config["units"] if unit in corpora[name]["units"]]:
            prepared_name(config, DEFAULT, unit)
            runs = text_runs(config, unit, corpora[name])
            find_longest_need(runs)
            settings |= {Run("results/made", name, unit, *run): runs[run]["settings"] for run in runs}
    for name in config["forecast"]["series"]:
        prepared_series_name(config["forecast"], DEFAULT["forecast"])
        list_forecast_runs(config["forecast"], series[name])
    if "published" in config:
        assign_cells(config["published"], settings)


def corpora(blocks: dict[str, Any]) -> None:
    """What the Snakefile does with config/corpora.yaml, and what the library does."""
    path = Path("corpora.yaml")
    path.write_text(yaml.safe_dump(blocks))
    try:
        load_corpora(path)
    finally:
        path.unlink()
    check_corpora(copy.deepcopy(DEFAULT) | {"corpora": [*blocks]}, blocks)


def source(definition: dict[str, Any]) -> None:
    whole = DESCRIPTION | {"kind": "builtin", "length": 10, "seed": 1}
    fetch_corpus("my", whole | definition if isinstance(definition, dict) else definition, "source.txt")


def text(content: str) -> None:
    """What is done to a text before it is encoded, down to the shares of a split."""
    divide_text(len(apply_cleaning(check_text(content.encode("latin-1"), "my.txt"), "letters", "my.txt")), SPLIT)


def arpa(content: str) -> None:
    Path("model.arpa").write_bytes(content.encode("latin-1"))
    try:
        read_arpa("model.arpa")
    finally:
        Path("model.arpa").unlink()


def series(content: str) -> None:
    """What is done to a series before anything learns from it; the column is named value."""
    Path("my.csv").write_bytes(content.encode("latin-1"))
    block = {"kind": "csv", "path": "my.csv", "column": "value"}
    try:
        prepare_series("my", build_series("my", block), block, SHARES, {"order": 2, "horizon": 1, "steps": 2})
    finally:
        Path("my.csv").unlink()


def columns(keys: dict[str, Any]) -> None:
    """What is done to a table whose columns are forecast together; the keys of its block but for `table`."""
    Path("my.csv").write_bytes(keys["table"].encode("latin-1"))
    block = {"kind": "csv", "path": "my.csv"} | {key: value for key, value in keys.items() if key != "table"}
    try:
        prepare_series("my", build_series("my", block), block, SHARES, {"order": 2, "horizon": 1, "steps": 2})
    finally:
        Path("my.csv").unlink()


def program(change: dict[str, Any]) -> str | None:
    """A rule's program with other arguments, other values in what it is told of its run, other bytes or keys in files,
    one file in the place of another, or without a file.
    """
    arguments = list(COMMANDS[change["program"]])
    if "run" in change:
        place = arguments.index("--run") + 1
        arguments[place] = json.dumps(_with_values(json.loads(arguments[place]), change["run"]))
    for option, value in change.get("arguments", {}).items():
        if option not in arguments:
            arguments += [option, value]
        else:  # the value after an option, or a name that stands alone
            arguments[arguments.index(option) + option.startswith("--")] = value
    with files_as_they_were(Path()):
        for file, content in change.get("files", {}).items():
            if file.endswith((".json", ".yaml")):  # as somebody who writes them by hand
                remove_file(file)
            Path(file).write_bytes(content.encode("latin-1"))
        for file, values in change.get("keys", {}).items():
            _change_keys(Path(file), values)
        for file, other in change.get("copies", {}).items():
            Path(file).write_bytes(Path(other).read_bytes())
        for file in change.get("gone", []):
            remove_file(file)
        code, printed = run(change["program"], arguments)
    if code == 0:
        return None
    lines = printed.strip().splitlines()
    assert lines[-1].startswith("error: ") or lines[0].startswith("usage: "), printed
    assert len(lines) == 1 or lines[0].startswith("usage: "), printed
    return lines[-1].removeprefix("error: ")


def _change_keys(path: Path, values: dict[str, Any]) -> None:
    """Put `values` at their dotted keys, without a checksum, as somebody who writes the file by hand."""
    content = _with_values(read_card(path) if path.suffix == ".yaml" else read_json(path), values)
    remove_file(path)
    path.write_text(yaml.safe_dump(content) if path.suffix == ".yaml" else json.dumps(content))


def _with_values(content: Any, values: dict[str, Any]) -> Any:
    """`content` with `values` at their dotted keys."""
    for dotted, value in values.items():
        *above, last = [int(key) if key.isdecimal() else key for key in dotted.split(".")]
        inner = content
        for key in above:
            inner = inner[key]
        inner[last] = value
    return content


CHECKS: dict[str, Callable[[Any], str | None]] = {
    "configuration": configuration,
    "corpora": corpora,
    "source": source,
    "text": text,
    "arpa": arpa,
    "series": series,
    "columns": columns,
    "program": program,
}


def check_sentence(told: str) -> None:
    assert "\n" not in told and "Traceback" not in told
    assert len(told) < 1500
    assert not any(Path(name).exists() for name in ("evil", "/tmp/seqlab-evil", "../evil", "../../evil"))


@pytest.mark.parametrize("where", sorted(CHECKS))
def test_every_bad_input_ends_with_its_sentence(
    where: str, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, Any], None]
) -> None:
    cases = [case for case in KEPT if case["where"] == where]
    for case in cases:
        told = sentence(case)
        assert told is not None, case
        check_sentence(told)
        assert case["error"] in told, (case, told)
    record_property(f"bad input: {where}", len(cases))
    with capsys.disabled():
        print(f"\n{len(cases)} bad inputs of kind {where}, each with its sentence", end="")


def spoilt(value: Any, chance: random.Random) -> Any:
    """A copy of `value` in which one thing, anywhere, is missing, of another kind, or there twice."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        return value | {key: spoilt(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [*value[:place], spoilt(value[place], chance), *value[place + 1 :]]
    if isinstance(value, dict) and value and chance.random() < 0.5:
        gone = chance.choice(list(value))
        return {key: item for key, item in value.items() if key != gone}
    return chance.choice(ODD)


def spoilt_text(content: str, chance: random.Random) -> str:
    """`content` with a stretch of it missing, twice, or replaced by odd bytes."""
    start = chance.randrange(len(content))
    stop = start + chance.randrange(1, 12)
    return content[:start] + chance.choice(["", content[start:stop] * 2, "\0", "\xff", "-", "9" * 30]) + content[stop:]


def made_up(where: str, chance: random.Random) -> Any:
    """One input of kind `where`, made from a good one."""
    if where == "configuration":
        key = chance.choice(list(DEFAULT))
        return {key: spoilt(DEFAULT[key], chance)}
    if where == "corpora":
        return {"my": spoilt(CORPORA[chance.choice(list(CORPORA))], chance)}
    if where == "source":
        return spoilt({"builtin": "even_process", "settings": {"probability": 0.5}}, chance)
    if where == "text":
        return spoilt_text("The Time Traveller (for so it will be convenient).\n" * 3, chance)
    if where == "series":
        return spoilt_text("day,value\n" + "".join(f"{day},{day % 7}.{day % 4}\n" for day in range(30)), chance)
    if where == "columns":
        keys = {"columns": ["flow", "level"], "exogenous": ["rain"], "unit": ["l/s", "m"]}
        rows = "".join(f"{day},{day % 7}.{day % 4},{day % 5},{day % 3}\n" for day in range(40))
        table = "day,flow,level,rain\n" + rows
        if chance.random() < 0.5:
            key = chance.choice(list(keys))
            return keys | {key: spoilt(keys[key], chance), "table": table}
        return keys | {"table": spoilt_text(table, chance)}
    if where == "arpa":
        arpas = [case["what"] for case in KEPT if case["where"] == "arpa" and 50 < len(case["what"]) < 5000]
        return spoilt_text(chance.choice(arpas), chance)
    name = chance.choice([name for name in COMMANDS if name not in ("train_rnn", "train_forecaster")])
    arguments = COMMANDS[name]
    if "--run" in arguments and chance.random() < 0.4:
        asked = spoilt(json.loads(arguments[arguments.index("--run") + 1]), chance)
        return {"program": name, "arguments": {"--run": json.dumps(asked)}}
    # Path.is_file raises an error for a long text
    files = [name for name in arguments if os.path.isfile(name) and os.path.getsize(name)]  # noqa: PTH113, PTH202
    file = chance.choice(files) if files else None
    if file and file.endswith((".json", ".yaml")) and chance.random() < 0.6:
        content = read_card(file) if file.endswith(".yaml") else read_json(file)
        return {"program": name, "files": {file: json.dumps(spoilt(content, chance))}}  # which is YAML too
    if file and chance.random() < 0.5:
        return {"program": name, "files": {file: spoilt_text(Path(file).read_bytes().decode("latin-1"), chance)}}
    option = chance.choice([argument for argument in arguments if argument.startswith("--")])
    value = chance.choice(["", "x", "-1", "1e400", "{", "[]", "null", '{"a": 1}', "a\nb", "absent.json"])
    return {"program": name, "arguments": {option: value}}


@pytest.mark.parametrize("where", sorted(CHECKS))
def test_what_chance_makes_up_is_taken_or_ends_with_a_sentence(
    where: str, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, Any], None]
) -> None:
    chance, ended = random.Random(f"seqlab {where}"), Counter[str]()
    for _ in range(FUZZED):
        case = {"where": where, "what": made_up(where, chance)}
        try:
            told = sentence(case)
        except Exception as error:
            raise AssertionError(f"a user would see a traceback ({error!r}) for {json.dumps(case)[:2000]}") from error
        if told is not None:
            check_sentence(told)
        ended["taken" if told is None else "refused"] += 1
    assert ended["refused"]
    record_property(f"fuzzed: {where}", ended["refused"])
    with capsys.disabled():
        print(f"\n{FUZZED} inputs of kind {where} made up by chance: {dict(ended)}, no traceback", end="")
