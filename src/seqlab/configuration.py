"""Checking the configuration before anything runs: every error names the key, its value and what is allowed."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqlab.axes import list_network_runs, list_values
from seqlab.io.errors import InputError, shown
from seqlab.io.names import check_address, check_path, name_of_path, named_after, readable_path
from seqlab.io.runs import SPLIT_NAMES
from seqlab.io.schemas import check, read_schema
from seqlab.text.definitions import SPLIT_KEYS, check_corpus
from seqlab.text.tokens import UNITS

NOT_BACKING_OFF = ("laplace", "add-k")  # smoothings whose models have no back-off weights
BEST = "best "  # begins a part of a mixture that is chosen on valid
NAMED = ("corpus", "series", "column")  # keys whose values may be numbers to Snakemake and YAML, and are names
CONSTANTS = {"true": True, "false": False}
NUMBERS: dict[str, Callable[[str], Any]] = {"integer": int, "number": float, "boolean": CONSTANTS.__getitem__}


def checked(config: dict[str, Any], corpora: dict[str, Any]) -> dict[str, Any]:
    """`corpora`, with a block for the text that the key corpus names, once all of `config` has been found right.

    Numbers given as texts become numbers, in `config` itself. Raises InputError for the first thing that is wrong.
    """
    config |= with_numbers(config, read_schema("config"))
    config |= {key: str(config[key]) for key in NAMED if isinstance(config.get(key), (bool, int, float))}
    check_configuration(config)
    check_address(config.get("tracking", {}).get("uri", ""), "the configuration key 'tracking.uri'")
    check_address(os.environ.get("MLFLOW_TRACKING_URI", ""), "MLFLOW_TRACKING_URI")
    if config.get("corpus"):
        config["corpora"], corpora = corpus_of_text(config["corpus"], config.get("cleaning"), corpora)
        if corpora[config["corpora"][0]].get("kind") == "files":
            config["split"] |= {"kind": "files"}
    check_corpora(config, corpora)
    return corpora


def with_numbers(value: Any, schema: dict[str, Any]) -> Any:
    """`value` with numbers, true and false where `schema`, a JSON schema, wants them and a text that is one was given.

    Snakemake hands on the blocks of `--config counting='{shards: 3}'` as texts, and YAML 1.1 reads 1e-7 as one.
    """
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {key: with_numbers(item, known.get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        return [with_numbers(item, schema if schema.get("axis") else schema.get("items", {})) for item in value]
    if isinstance(value, str) and schema.get("type") in NUMBERS:
        with suppress(ValueError, KeyError):
            return NUMBERS[schema["type"]](value)
    return value


def check_configuration(config: dict[str, Any]) -> None:
    """Raise InputError for the first key of `config` that its schema does not allow."""
    check(config, _with_axes(read_schema("config"), config), "the configuration")


def _with_axes(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """`schema` as it holds for `value`: where a setting that may be an axis is a list, it asks for a list of what it
    asks for otherwise.
    """
    if schema.get("axis") and isinstance(value, list):
        return {"type": "array", "minItems": schema.get("minItems", 1), "uniqueItems": True, "items": schema}
    if not isinstance(value, dict) or "properties" not in schema:
        return schema
    known = schema["properties"]
    return schema | {"properties": {key: _with_axes(known[key], value.get(key)) for key in known}}


def check_corpora(config: dict[str, Any], corpora: dict[str, Any]) -> None:
    """Raises InputError where a corpus named in `config` has no block in `corpora`, or none of the units asked for."""
    for name in config["corpora"]:
        if name not in corpora:
            known = ", ".join(sorted(map(str, corpora)))
            raise InputError(f"corpus {shown(name)} is unknown; config/corpora.yaml has {known}")
        check_corpus(name, corpora[name], "config/corpora.yaml: ")
        for path in local_texts(corpora[name]):
            check_path(path)
        if not set(config["units"]) & set(corpora[name]["units"]):
            raise InputError(f"corpus {name!r} has no unit of {config['units']}; it has {corpora[name]['units']}")
        if (corpora[name].get("kind") == "files") != (config["split"]["kind"] == "files"):
            raise InputError(
                f"corpus {name!r} is of kind {corpora[name].get('kind')} and 'split.kind' is "
                f"{config['split']['kind']!r}; files belong to corpora of kind files, other splits to the others"
            )
    check_shares("split", config["split"])
    if not (config["corpora"] or config["forecast"]["series"] or config.get("series")):
        raise InputError("neither 'corpora' nor 'forecast.series' names anything; name a text or a series")


def check_shares(key: str, split: dict[str, Any]) -> None:
    """Raises InputError where the shares of `split`, the block `key`, do not add up to 1."""
    total = sum(split[name] for name in SPLIT_NAMES)
    if abs(total - 1) > 1e-9:
        raise InputError(f"the shares of {key!r} add up to {total:g}; train, valid and test must add up to 1")


def text_runs(config: dict[str, Any], unit: str, definition: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every run on one corpus, whose block is `definition`, and unit: (family, model) -> {"settings", "seeds"}.

    Raises InputError for what `ngram_runs`, `list_network_runs` and `mixture_runs` refuse.
    """
    runs: dict[tuple[str, str], dict[str, Any]] = {}
    for name in config["compressors"]:
        runs["compressor", name] = {"settings": {}, "seeds": []}
    if definition.get("builtin", "python_docs") != "python_docs":  # a generated text, whose source is known
        runs["source", "true-source"] = {"settings": definition, "seeds": []}
    for model, settings in ngram_runs(config["ngram"]).items():
        runs["ngram", model] = {"settings": settings, "seeds": []}
    rnn = config["rnn"]
    shape = {"cell": list_values(rnn["cells"]), "layers": rnn["layers"], "hidden": rnn["hidden"]}
    training = rnn["training"] | rnn["training_by_unit"].get(unit, {})
    for model, settings in list_network_runs("rnn", shape | training, rnn["draw"]).items():
        runs["rnn", model] = {"settings": settings, "seeds": rnn["seeds"]}
    for model, parts in mixture_runs(config["mixtures"], runs).items():
        runs["mixture", model] = {"settings": {"parts": parts}, "seeds": []}
    return runs


def training_symbols_needed(settings: dict[str, Any]) -> tuple[str, int]:
    """The key of `settings` that asks for the longest training text, and how many symbols it needs at least."""
    needs = {"order": settings.get("order", 1)}
    if "steps" in settings:
        needs["steps"] = 2 * settings["steps"]  # the random offset, and one subsequence with its targets
        if settings["partition"] == "sequential":
            needs["batch_size"] = settings["steps"] + settings["batch_size"]
    return max(needs.items(), key=lambda item: item[1])


def longest_need(runs: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """The run of `runs`, as those of `text_runs`, that needs the longest training text: model, key, value, symbols."""
    longest: dict[str, Any] = {"model": "", "key": "order", "value": 1, "symbols": 1}
    for (_, model), run in runs.items():
        key, symbols = training_symbols_needed(run["settings"])
        if symbols > longest["symbols"]:
            longest = {"model": model, "key": key, "value": run["settings"][key], "symbols": symbols}
    return longest


def prepared_name(config: dict[str, Any], default: dict[str, Any], unit: str) -> str:
    """The folder of a corpus cut into `unit`s: the unit, and a digest where the cutting is not that of `default`.

    So experiments that cut a corpus alike share its ids, and none changes those of another.
    """
    usual = default | {"split": config["split"]} if config["split"]["kind"] == "files" else default
    return named_after(unit, preparation(config, unit), preparation(usual, unit))


def preparation(config: dict[str, Any], unit: str) -> dict[str, Any]:
    """The settings that decide the ids of a corpus besides its text."""
    split, vocab = config["split"], config["vocab"]
    merges = {"merges": vocab["merges"]} if unit == "bpe" else {}
    needed = {key: split[key] for key in SPLIT_KEYS[split["kind"]]}
    return {"kind": split["kind"], "min_freq": vocab["min_freq"][unit]} | merges | needed


def ngram_runs(sweeps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings of every n-gram of `sweeps`, the key ngram of a configuration, by name.

    Raises InputError for a sweep that asks for what its smoothing or orders do not have.
    """
    runs: dict[str, dict[str, Any]] = {}
    for sweep in sweeps:
        check_sweep(sweep)
        for order in sweep["orders"]:
            whole = {"smoothing": sweep["smoothing"], "order": order}
            for settings in (whole, *(whole | {"prune": prune} for prune in sweep.get("prune", []))):
                runs[ngram_name(**settings)] = settings
    return runs


def ngram_name(smoothing: str, order: int, prune: dict[str, Any] | None = None) -> str:
    """The name of an n-gram model: a smaller one is named after the whole one and the way it was made smaller, as in
    mkn-6-entropy-1e-7 and mkn-6-counts-1-1-2.
    """
    return "-".join([smoothing, str(order), *([_way(prune)] if prune else [])])


def mixture_runs(mixtures: dict[str, list[str]], runs: dict[tuple[str, str], Any]) -> dict[str, list[str]]:
    """The mixtures that can be made of `runs`, (family, model) -> {"seeds"}: name -> parts.

    One whose family has no models in this experiment is left out, and so is one that would have a single part, such as
    the seeds of networks that have one seed. Raises InputError for a part that names no model.
    """
    made = {}
    for name, parts in mixtures.items():
        for part in parts:
            if not part.startswith(BEST) and not mixture_candidates([part], runs):
                raise InputError(
                    f"mixtures.{name} has the part {shown(part)}, which is no model of this experiment; name one, or "
                    f"{BEST}ngram or {BEST}rnn"
                )
        rows = [
            max((len(runs[run]["seeds"]) or 1 for run in mixture_candidates([part], runs)), default=0) for part in parts
        ]
        if min(rows) > 0 and sum(rows) > 1:
            made[name] = parts
    return made


def mixture_candidates(parts: list[str], runs: dict[tuple[str, str], Any]) -> list[tuple[str, str]]:
    """The runs that may turn out to be a part: a model by its name, or for `best ngram` all of that family."""
    families = [part.removeprefix(BEST) for part in parts if part.startswith(BEST)]
    possible = [run for run in runs if run[0] in ("ngram", "rnn")]
    return [(family, model) for family, model in possible if family in families or model in parts]


def check_sweep(sweep: dict[str, Any]) -> None:
    """Raises InputError where a sweep prunes or writes as ARPA what cannot be."""
    if sweep["smoothing"] in NOT_BACKING_OFF:
        for key in ("prune", "arpa"):
            if sweep.get(key):
                raise InputError(
                    f"a sweep of 'ngram' has {key} with smoothing {sweep['smoothing']}, which does not back off to "
                    f"shorter contexts; use another smoothing, such as mkn, or leave {key} out"
                )
    for prune in sweep.get("prune", []):
        needed = max(2, len(prune.get("counts", [])))
        if low := [order for order in sweep["orders"] if order < needed]:
            raise InputError(
                f"a sweep of 'ngram' prunes by {prune}, which needs order {needed} or more, and has order {low[0]}; "
                "give the lower orders a sweep of their own without it"
            )


def _way(prune: dict[str, Any]) -> str:
    """How a model was made smaller, as part of its name."""
    if "counts" in prune:
        return "-".join(["counts", *map(str, prune["counts"])])
    return "entropy-" + re.sub(r"e([+-])0*", r"e\1", f"{prune['entropy']:g}").replace("e+", "e")


def corpus_of_text(text: str, cleaning: str | None, corpora: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The corpora of an experiment on `text`, and `corpora` with its block.

    `text` is a name in `corpora`, the path of a file, or a folder with train.txt, valid.txt and test.txt. Raises
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
            f"corpus {shown(text)} is neither a file, nor a folder with train.txt, valid.txt and test.txt, nor a name "
            f"in config/corpora.yaml ({names}); correct it"
        )
    check_path(text)
    source = readable_path(text) + (f", cleaning {cleaning}" if cleaning not in (None, "whitespace") else "")
    name = name_of_path(path, source, corpora)
    block = {"title": path.name, "licence": "your own", "units": list(UNITS), "cleaning": cleaning or "whitespace"}
    where = {"kind": "path", "path": text} if is_file else {"kind": "files", "files": files}
    return [name], corpora | {name: block | where | {"source": source}}


def local_texts(definition: dict[str, Any]) -> list[str]:
    """The paths of the files on this computer that a corpus is made of."""
    if "path" in definition:
        return [os.path.expanduser(definition["path"])]  # noqa: PTH111, as above
    files = definition.get("files", {})
    return [os.path.expanduser(files[name]) for name in SPLIT_NAMES if isinstance(files.get(name), str)]  # noqa: PTH111


def with_paths(definition: dict[str, Any], texts: list[str] | None) -> dict[str, Any]:
    """`definition` with `texts` as its `local_texts`; with None, without them, to be put in again."""
    paths = iter(texts or [])
    if "path" in definition:
        return definition | {"path": next(paths, "")}
    if "files" in definition:
        files = definition["files"]
        local = {name: next(paths, "") for name in SPLIT_NAMES if isinstance(files.get(name), str)}
        return definition | {"files": files | local}
    return definition
