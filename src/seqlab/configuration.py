"""Checks of the configuration, and the runs that it defines."""

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqlab.axes import FREE_SETTINGS, list_network_runs
from seqlab.io.errors import InputError, quote
from seqlab.io.names import append_digest, check_address, check_path, name_corpus, shorten_path, split_class
from seqlab.io.runs import SPLIT_NAMES
from seqlab.io.schemas import check, read_schema
from seqlab.text.definitions import SPLIT_KEYS, check_corpus
from seqlab.text.tokens import UNITS

LINE_SMOOTHINGS = ("mle", "wb", "abs", "kn", "mkn")  # those that models of lines can have
SMOOTHINGS_WITHOUT_BACKOFF = ("laplace", "add-k")  # their models have no back-off weights
CELL_OPTIONS = {"beta_max": ("deltanet",)}  # a key of rnn -> the cells that have it
EXTERNAL_FAMILY = "external"  # of models of other programs
AUTOMATIC_AUDIT, AUDITED_WORK = "auto", 1000
BEST_PREFIX = "best "  # begins a part of a mixture that is chosen on validation
# keys of names, which Snakemake and YAML may read as numbers
NAME_KEYS = ("corpus", "series", "column", "columns", "exogenous")
BOOLEAN_TEXTS = {"true": True, "false": False}
NUMBER_PARSERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": BOOLEAN_TEXTS.__getitem__,
}


def resolve_corpora(config: dict[str, Any], corpora: dict[str, Any]) -> dict[str, Any]:
    """Check `config` and return `corpora`, extended by a block for the text in the key corpus.

    Texts become numbers in `config` where its schema has numbers. Raise InputError for the first invalid value.
    """
    config |= convert_numbers(config, read_schema("config"))
    config |= {key: _as_names(config[key]) for key in NAME_KEYS if key in config}
    check_configuration(config)
    check_address(config.get("tracking", {}).get("uri", ""), "the configuration key 'tracking.uri'")
    check_address(os.environ.get("MLFLOW_TRACKING_URI", ""), "MLFLOW_TRACKING_URI")
    if config.get("corpus"):
        config["corpora"], corpora = define_corpus(config["corpus"], config.get("cleaning"), corpora)
        if corpora[config["corpora"][0]].get("kind") == "files":
            config["split"] |= {"kind": "files"}
    check_corpora(config, corpora)
    return corpora


def _as_names(value: Any) -> Any:
    """Return a name, or a list of names, that was read as a number or a boolean, as text."""
    if isinstance(value, list):
        return [_as_names(item) for item in value]
    return str(value) if isinstance(value, (bool, int, float)) else value


def convert_numbers(value: Any, schema: dict[str, Any]) -> Any:
    """Return `value` with texts converted to numbers and booleans where the JSON schema `schema` has them.

    Snakemake passes blocks such as `--config counting='{shards: 3}'` as texts, and YAML 1.1 reads 1e-7 as text.
    """
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {key: convert_numbers(item, known.get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        return [convert_numbers(item, schema if schema.get("axis") else schema.get("items", {})) for item in value]
    if isinstance(value, str) and schema.get("type") in NUMBER_PARSERS:
        with suppress(ValueError, KeyError):
            return NUMBER_PARSERS[schema["type"]](value)
    if isinstance(value, str) and BOOLEAN_TEXTS.get(value) in schema.get("enum", []):
        return BOOLEAN_TEXTS[value]
    return value


def check_configuration(config: dict[str, Any]) -> None:
    """Raise InputError for the first key of `config` that its schema does not allow."""
    check(config, _with_axes(read_schema("config"), config), "the configuration")


def _with_axes(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return `schema` adapted to `value`: a setting that is an axis in `value` must be a list of its allowed values."""
    if schema.get("axis") and isinstance(value, list):
        return {"type": "array", "minItems": schema.get("minItems", 1), "uniqueItems": True, "items": schema}
    if isinstance(value, list) and "properties" in schema.get("items", {}):
        return schema | {"prefixItems": [_with_axes(schema["items"], item) for item in value]}
    if not isinstance(value, dict) or "properties" not in schema:
        return schema
    known = schema["properties"]
    return schema | {"properties": {key: _with_axes(known[key], value.get(key)) for key in known}}


def check_corpora(config: dict[str, Any], corpora: dict[str, Any]) -> None:
    """Raise InputError where a corpus in `config` has no valid block in `corpora` or none of the requested units."""
    for name in config["corpora"]:
        if name not in corpora:
            known = ", ".join(sorted(map(str, corpora)))
            raise InputError(f"corpus {quote(name)} is unknown; config/corpora.yaml has {known}")
        check_corpus(name, corpora[name], "config/corpora.yaml: ")
        for path in list_local_texts(corpora[name]):
            check_path(path)
        if not set(config["units"]) & set(corpora[name]["units"]):
            raise InputError(f"corpus {name!r} has no unit of {config['units']}; use one of {corpora[name]['units']}")
        if (corpora[name].get("kind") == "files") != (config["split"]["kind"] == "files"):
            raise InputError(
                f"corpus {name!r} is of kind {corpora[name].get('kind')} and 'split.kind' is "
                f"{config['split']['kind']!r}; use split.kind files for corpora of kind files, and only for these"
            )
    check_shares("split", config["split"])
    if not (config["corpora"] or config["forecast"]["series"] or config.get("series")):
        raise InputError("'corpora' and 'forecast.series' are empty; name a text or a series")


def check_shares(key: str, split: dict[str, Any]) -> None:
    """Raise InputError where the shares of `split`, the block `key`, do not add up to 1."""
    total = sum(split[name] for name in SPLIT_NAMES)
    if abs(total - 1) > 1e-9:
        raise InputError(f"the shares of {key!r} add up to {total:g}; train, valid and test must add up to 1")


def text_runs(config: dict[str, Any], unit: str, definition: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the runs on the corpus with the block `definition`, by `unit`: (family, model) -> {"settings", "seeds"}.

    Raise InputError as `ngram_runs`, `list_network_runs`, `mixture_runs` and `external_runs` do.
    """
    runs: dict[tuple[str, str], dict[str, Any]] = {}
    for name in config["compressors"]:
        runs["compressor", name] = {"settings": {}, "seeds": []}
    if definition.get("builtin", "python_docs") != "python_docs":  # a generated text with a known source
        runs["source", "true-source"] = {"settings": definition, "seeds": []}
    for model, settings in ngram_runs(config["ngram"]).items():
        runs["ngram", model] = {"settings": settings, "seeds": []}
    if unit == "word":  # whose tokens are without line ends
        for model, settings in line_runs(config["ngram"]).items():
            runs["lines", model] = {"settings": settings, "seeds": []}
    rnn = config["rnn"]
    settings = {key: rnn[key] for key in ("cells", "layers", "hidden", "embedding", "tied", "grids")}
    settings |= {key: rnn[key] for key in CELL_OPTIONS if key in rnn}
    settings |= rnn["training"] | rnn["by_unit"].get(unit, {})
    grids = [_name_cell(block) for block in settings.pop("grids")]
    for model, point in list_network_runs("rnn", _name_cell(settings), rnn["draw"], grids).items():
        if point["tied"] and not point["embedding"]:
            raise InputError(
                "rnn.tied is true where rnn.embedding is 0, so that there is no embedding to use as output weights; "
                "give rnn.embedding a size, or set rnn.tied to false"
            )
        for key, cells in CELL_OPTIONS.items():
            if key in point and point["cell"] not in cells:
                raise InputError(
                    f"rnn.{key} is set for the cell {point['cell']}, which has none; it belongs to "
                    f"{', '.join(cells)}: write {key} into a block of rnn.grids with that cell alone"
                )
        runs["rnn", model] = {"settings": point, "seeds": rnn["seeds"]}
    for model, parts in mixture_runs(config["mixtures"], runs).items():
        runs["mixture", model] = {"settings": {"parts": parts}, "seeds": []}
    for model, settings in external_runs(config["external"]["models"], unit).items():
        if other := next((run for run in runs if run[1] == model), None):
            raise InputError(f"external.models.{model} has the name of a run of family {other[0]}; rename it")
        runs[EXTERNAL_FAMILY, model] = {"settings": settings, "seeds": []}
    return runs


def group_fleets(kind: str, runs: dict[tuple[str, str], dict[str, Any]]) -> dict[str, list[str]]:
    """Return the fleets of several `runs` of `text_runs`, by name, each with its models; none for the `kind` seeds.

    With the kind shapes, runs that differ in FREE_SETTINGS alone form one fleet.
    """
    fleets: dict[str, list[str]] = {}
    for (family, model), run in runs.items() if kind == "shapes" else []:
        if family == "rnn":
            common = {key: value for key, value in run["settings"].items() if key not in FREE_SETTINGS}
            shape = f"{common['cell']}-{common['layers']}x{common['hidden']}"
            fleets.setdefault(append_digest(shape, common, {}), []).append(model)
    return {name: models for name, models in fleets.items() if len(models) > 1}


def _name_cell(block: dict[str, Any]) -> dict[str, Any]:
    """Return settings of `rnn` with the key cells called cell, as in the settings of a run."""
    return {"cell" if key == "cells" else key: value for key, value in block.items()}


def training_symbols_needed(settings: dict[str, Any]) -> tuple[str, int]:
    """Return the key of `settings` that needs the longest training text, and the number of symbols it needs."""
    needs = {"order": settings.get("order", 1)}
    if "steps" in settings:
        needs["steps"] = 2 * settings["steps"]  # the random offset, and one subsequence with its targets
        if settings["partition"] == "sequential":
            needs["batch_size"] = settings["steps"] + settings["batch_size"]
    return max(needs.items(), key=lambda item: item[1])


def find_longest_need(runs: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """Return model, key, value and symbols of the run in `text_runs` that needs the longest training text."""
    longest: dict[str, Any] = {"model": "", "key": "order", "value": 1, "symbols": 1}
    for (_, model), run in runs.items():
        key, symbols = training_symbols_needed(run["settings"])
        if symbols > longest["symbols"]:
            longest = {"model": model, "key": key, "value": run["settings"][key], "symbols": symbols}
    return longest


def prepared_name(config: dict[str, Any], default: dict[str, Any], unit: str) -> str:
    """Return the folder name of a corpus cut into `unit`s: the unit, with a digest for settings other than `default`.

    Experiments that cut a corpus in the same way share its ids; others have separate folders.
    """
    usual = default | {"split": config["split"]} if config["split"]["kind"] == "files" else default
    return append_digest(unit, preparation(config, unit), preparation(usual, unit))


def preparation(config: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return the settings that determine the ids of a corpus, besides its text."""
    split, vocab = config["split"], config["vocab"]
    merges = {"merges": vocab["merges"]} if unit == "bpe" else {}
    needed = {key: split[key] for key in SPLIT_KEYS[split["kind"]]}
    return {"kind": split["kind"], "min_freq": vocab["min_freq"][unit]} | merges | needed


def ngram_runs(sweeps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the settings of every n-gram of a stream of `sweeps`, the key ngram of a configuration, by name.

    Raise InputError as `check_sweep` does.
    """
    runs: dict[str, dict[str, Any]] = {}
    for sweep in sweeps:
        check_sweep(sweep)
        if sweep.get("lines"):
            continue
        for order in sweep["orders"]:
            whole = {"smoothing": sweep["smoothing"], "order": order}
            for settings in (whole, *(whole | {"prune": prune} for prune in sweep.get("prune", []))):
                runs[ngram_name(**settings)] = settings
    return runs


def line_runs(sweeps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the settings of every n-gram of lines of `sweeps`, by name, such as mkn-5-lines."""
    return {
        f"{ngram_name(sweep['smoothing'], order)}-lines": {"smoothing": sweep["smoothing"], "order": order}
        for sweep in sweeps
        if sweep.get("lines")
        for order in sweep["orders"]
    }


def ngram_name(smoothing: str, order: int, prune: dict[str, Any] | None = None) -> str:
    """Return the name of an n-gram model, such as mkn-6, or of a pruned one, such as mkn-6-entropy-1e-7 or
    mkn-6-counts-1-1-2.
    """
    return "-".join([smoothing, str(order), *([_name_pruning(prune)] if prune else [])])


def mixture_runs(mixtures: dict[str, list[str]], runs: dict[tuple[str, str], Any]) -> dict[str, list[str]]:
    """Return the possible mixtures of `runs`, (family, model) -> {"seeds"}: name -> parts.

    Mixtures of a family without models and mixtures with a single part, such as networks with one seed, are omitted.
    Raise InputError for a part that names no model.
    """
    possible = {}
    for name, parts in mixtures.items():
        for part in parts:
            if not part.startswith(BEST_PREFIX) and not mixture_candidates([part], runs):
                raise InputError(
                    f"mixtures.{name} has the part {quote(part)}, which is not a model of this experiment; use one, or "
                    f"{BEST_PREFIX}ngram or {BEST_PREFIX}rnn"
                )
        rows = [
            max((len(runs[run]["seeds"]) or 1 for run in mixture_candidates([part], runs)), default=0) for part in parts
        ]
        if min(rows) > 0 and sum(rows) > 1:
            possible[name] = parts
    return possible


def mixture_candidates(parts: list[str], runs: dict[tuple[str, str], Any]) -> list[tuple[str, str]]:
    """Return the runs that may become a part: a model by its name, or for `best ngram` all of that family."""
    families = [part.removeprefix(BEST_PREFIX) for part in parts if part.startswith(BEST_PREFIX)]
    possible = [run for run in runs if run[0] in ("ngram", "rnn")]
    return [(family, model) for family, model in possible if family in families or model in parts]


def external_runs(models: dict[str, dict[str, Any]], unit: str) -> dict[str, dict[str, Any]]:
    """Return the settings of the external `models` on texts cut into `unit`s, by name: model or arpa, and files.

    Raise InputError for a block without exactly one of model and arpa, and for a file that does not exist.
    """
    runs = {}
    for name, block in models.items():
        where = f"external.models.{name}"
        if ("model" in block) == ("arpa" in block):
            raise InputError(f"{where} must have one of the keys model and arpa; correct it")
        if "arpa" in block:
            settings: dict[str, Any] = {"arpa": shorten_path(block["arpa"])}
        else:
            file, class_name = split_class(block["model"])
            settings = {"model": f"{shorten_path(file)}:{class_name}"}
        if "files" in block:
            settings["files"] = [shorten_path(file) for file in block["files"]]
        for path in list_external_files(settings):
            check_path(path)
            if not os.path.isfile(path):  # noqa: PTH113, where Path.is_file raises an error for a name that is too long
                raise InputError(f"{where} names the file {quote(path)}, which does not exist; correct the path")
        if block.get("unit", unit) == unit:
            runs[name] = settings
    return runs


def list_external_files(settings: dict[str, Any]) -> list[str]:
    """Return the files of an external model with these settings: its source or ARPA file, and those that it reads."""
    return [settings["arpa"] if "arpa" in settings else split_class(settings["model"])[0], *settings.get("files", [])]


def is_audited(audit: Any, runs: Iterable[dict[str, Any]]) -> bool:
    """Return the value of the key `audit`; for auto, true where the epochs of the networks among `runs`, settings and
    seeds, times their hidden units, add up to at least AUDITED_WORK: an audit then takes a small share of the time.
    """
    if audit != AUTOMATIC_AUDIT:
        return bool(audit)
    networks = [run for run in runs if "cell" in run["settings"]]
    work = [run["settings"]["epochs"] * run["settings"]["hidden"] * len(run["seeds"]) for run in networks]
    return sum(work) >= AUDITED_WORK


def check_sweep(sweep: dict[str, Any]) -> None:
    """Raise InputError where a sweep prunes models that can't be pruned or writes models as ARPA that can't be."""
    if sweep.get("lines"):
        if sweep["smoothing"] not in LINE_SMOOTHINGS:
            raise InputError(
                f"a sweep of 'ngram' has lines with smoothing {sweep['smoothing']}; use {', '.join(LINE_SMOOTHINGS)}, "
                "or omit lines"
            )
        for key in ("prune", "arpa"):
            if sweep.get(key):
                raise InputError(
                    f"a sweep of 'ngram' has lines and {key}; omit {key}, and run seqlab ngram prune on the model"
                )
    if sweep["smoothing"] in SMOOTHINGS_WITHOUT_BACKOFF:
        for key in ("prune", "arpa"):
            if sweep.get(key):
                raise InputError(
                    f"a sweep of 'ngram' has {key} with smoothing {sweep['smoothing']}, which does not back off to "
                    f"shorter contexts; use another smoothing, such as mkn, or omit {key}"
                )
    for prune in sweep.get("prune", []):
        needed = max(2, len(prune.get("counts", [])))
        if low := [order for order in sweep["orders"] if order < needed]:
            raise InputError(
                f"a sweep of 'ngram' prunes by {prune}, which needs order {needed} or more, but it has order {low[0]}; "
                "move the lower orders to a sweep without pruning"
            )


def _name_pruning(prune: dict[str, Any]) -> str:
    """Return the settings of a pruning as part of a name."""
    if "counts" in prune:
        return "-".join(["counts", *map(str, prune["counts"])])
    return "entropy-" + re.sub(r"e([+-])0*", r"e\1", f"{prune['entropy']:g}").replace("e+", "e")


def define_corpus(text: str, cleaning: str | None, corpora: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return the corpora of an experiment on `text`, and `corpora` with its block.

    `text` is a name in `corpora`, the path of a file, or a folder with train.txt, valid.txt and test.txt. Raise
    InputError where it is none of these.
    """
    if text in corpora:
        return [text], corpora
    text = os.path.expanduser(text)  # noqa: PTH111, where Path.expanduser raises an error for an unknown user
    path = Path(text)
    files = {name: str(path / f"{name}.txt") for name in SPLIT_NAMES}
    is_file = os.path.isfile(text)  # noqa: PTH113, where Path.is_file raises an error for a name that is too long
    if not is_file and not all(map(os.path.isfile, files.values())):
        names = ", ".join(sorted(map(str, corpora)))
        raise InputError(
            f"corpus {quote(text)} is neither a file, nor a folder with train.txt, valid.txt and test.txt, nor a name "
            f"in config/corpora.yaml ({names}); correct it"
        )
    check_path(text)
    source = shorten_path(text) + (f", cleaning {cleaning}" if cleaning not in (None, "whitespace") else "")
    name = name_corpus(path, source, corpora)
    block = {"title": path.name, "licence": "your own", "units": list(UNITS), "cleaning": cleaning or "whitespace"}
    origin = {"kind": "path", "path": text} if is_file else {"kind": "files", "files": files}
    return [name], corpora | {name: block | origin | {"source": source}}


def list_local_texts(definition: dict[str, Any]) -> list[str]:
    """Return the paths of the local files of a corpus."""
    if "path" in definition:
        return [os.path.expanduser(definition["path"])]  # noqa: PTH111, as above
    files = definition.get("files", {})
    return [os.path.expanduser(files[name]) for name in SPLIT_NAMES if isinstance(files.get(name), str)]  # noqa: PTH111


def describe_missing_texts(config: dict[str, Any], corpora: dict[str, Any]) -> list[str]:
    """Return a sentence for each corpus of `config` that lacks local files."""
    sentences = []
    for name in config["corpora"]:
        if missing := [path for path in list_local_texts(corpora[name]) if not Path(path).exists()]:
            licence = corpora[name]["licence"]
            sentences.append(
                f"corpus {name!r} lacks {', '.join(missing)}; put the text there (licence: {licence}), or correct the "
                "path in config/corpora.yaml"
            )
    return sentences


def insert_paths(definition: dict[str, Any], texts: list[str] | None) -> dict[str, Any]:
    """Return `definition` with `texts` as its local files; with None, without local files."""
    paths = iter(texts or [])
    if "path" in definition:
        return definition | {"path": next(paths, "")}
    if "files" in definition:
        files = definition["files"]
        local = {name: next(paths, "") for name in SPLIT_NAMES if isinstance(files.get(name), str)}
        return definition | {"files": files | local}
    return definition
