"""What all rules share: the checked configuration, every run that it asks for, and the code that a rule depends on.

The functions that give rules their files, settings and resources stand in workflow/functions. Here and there nothing is
imported but the standard library and what Snakemake itself has loaded.

RUNS[corpus, unit][family, model] holds the settings and seeds of every run; each is written to the run's card.
"""

import ast
import gc
import json
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

# A plan is millions of objects that all stay: to look for garbage among them after every 700 new ones, which is what
# Python does unasked, takes a fifth of the time that a large experiment is planned in.
gc.set_threshold(100_000, 50, 50)

# Jobs use the interpreter and the library that belong to this Snakefile, whether or not an environment is activated.
for variable, first in {"PATH": Path(sys.executable).parent, "PYTHONPATH": BASE / "src"}.items():
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))
sys.path.insert(0, str(BASE / "src"))

from seqlab.configuration import checked, mixture_runs, ngram_runs
from seqlab.errors import InputError
from seqlab.forecast.definitions import forecast_runs, longest_needs, with_series

try:
    SCHEMA = load_configfile(BASE / "workflow/schemas/config.schema.yaml")
    CORPORA = checked(config, SCHEMA, definitions("corpora.yaml"))
    SERIES = with_series(config, definitions("series.yaml"))
except InputError as error:
    raise WorkflowError(str(error)) from None


def units_of(corpus):
    """The units of this experiment that the corpus has."""
    return [unit for unit in config["units"] if unit in CORPORA[corpus]["units"]]


def runs_of(corpus, unit):
    """Every run on one corpus and unit: (family, model) -> {"settings", "seeds"}."""
    runs = {("compressor", name): {"settings": {}, "seeds": []} for name in config["compressors"]}
    if CORPORA[corpus].get("builtin", "python_docs") != "python_docs":  # a generated text, whose source is known
        runs["source", "true-source"] = {"settings": CORPORA[corpus], "seeds": []}
    for model, settings in ngram_runs(config["ngram"]).items():
        runs["ngram", model] = {"settings": settings, "seeds": []}
    rnn = config["rnn"]
    training = rnn["training"] | rnn["training_by_unit"].get(unit, {})
    for cell in rnn["cells"]:
        for layers in rnn["layers"]:
            for hidden in rnn["hidden"]:
                settings = {"cell": cell, "layers": layers, "hidden": hidden} | training
                runs["rnn", f"{cell}-{layers}x{hidden}"] = {"settings": settings, "seeds": rnn["seeds"]}
    for model, parts in mixture_runs(config["mixtures"], runs).items():
        runs["mixture", model] = {"settings": {"parts": parts}, "seeds": []}
    return runs


RUNS = {(corpus, unit): runs_of(corpus, unit) for corpus in config["corpora"] for unit in units_of(corpus)}

FORECASTS = {name: forecast_runs(config["forecast"], SERIES[name]) for name in config["forecast"]["series"]}
FORECASTERS = "({})-.+".format("|".join(SCHEMA["properties"]["forecast"]["properties"]["networks"]["items"]["enum"]))


def script(rule_name):
    """The program of a rule."""
    return os.path.relpath(BASE / "workflow/scripts" / f"{rule_name}.py")


@cache
def library(rule_name):
    """Every library module that a rule's program imports, directly or not: an edit of one makes the rule run again."""
    found, waiting = set(), [Path(script(rule_name)).resolve()]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imported_by(file)
    return sorted(os.path.relpath(file) for file in found if file.is_relative_to(BASE / "src"))


@cache
def imported_by(file):
    """The library modules that one file imports; every job of a cluster asks, so each file is parsed but once."""
    names = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    modules = [BASE / "src" / f"{name.replace('.', '/')}.py" for name in names if name.startswith("seqlab")]
    return [module for module in modules if module.exists()]


wildcard_constraints:
    corpus="|".join(map(re.escape, config["corpora"])) or "(?!)",  # nothing, where there are no texts
    series="|".join(map(re.escape, FORECASTS)) or "(?!)",
    unit="char|word|byte|bpe",
    family="source|compressor|ngram|rnn|mixture",
    model="[a-z0-9.-]+",
    scatteritem="[0-9]+-of-[0-9]+",
