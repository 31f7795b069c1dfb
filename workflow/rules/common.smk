"""The checked configuration, the runs of the experiment, and functions that all rules share.

Imports are limited to the standard library and packages that Snakemake has loaded.

The job of a run writes all of its files, metrics.json last, with the SHA-256 of scores.npz in it. An input metrics.json
therefore implies scores.npz, whose reader checks it; weights.safetensors implies network.json in the same way. This
halves the time for planning thousands of runs.

    RUNS      every run of the experiment -> its settings and seeds, which become its card
    PREPARED  every corpus and unit of the experiment -> the folder of its ids, results/corpora/{corpus}/{prepared}
    NEEDS     every corpus and unit -> the run that needs the longest text
    ANSWERS   every corpus and unit with a second text, whose answers are scored by their gaps
    AUDITED_TEXTS  every corpus and unit whose models are audited
    FLEETS    every corpus and unit -> the fleets of several runs, and their models
    PUBLISHED every corpus and unit with printed values -> the runs that are compared with them
"""

import ast
import gc
import hashlib
import json
import math
import os
import re
import shlex
import shutil
import sys
import threading
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

gc.set_threshold(100_000, 50, 50)  # almost nothing in a plan is garbage, and looking for it takes a seventh of the time

# Jobs use the interpreter and the library of this Snakefile in every environment.
for variable, first in {"PATH": Path(sys.executable).parent, "PYTHONPATH": BASE / "src"}.items():
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))
sys.path.insert(0, str(BASE / "src"))

from seqlab import configuration
from seqlab.io.errors import InputError
from seqlab.presets import choose_preset
from seqlab.published import assign_cells, describe_unprinted
from seqlab.series.definitions import add_series, list_forecast_runs, longest_needs, prepared_series_name
from seqlab.io.runs import (
    FORECAST,
    SERIES,
    Place,
    Run,
    check_results_folder,
    choose_experiment_name,
    describe_older_results,
)

# ------------------------------------------------------------------------------------------------ the runs of this call

CONFIGURATION = [os.path.relpath(file) for file in workflow.overwrite_configfiles or []]
UNITS = ("char", "word", "byte", "bpe")

try:
    PRESET = choose_preset(overrides, definitions("presets.yaml"))
    update_config(config, PRESET.settings)
    update_config(config, overrides)  # settings of the user stand above those of a preset
    CORPORA = configuration.resolve_corpora(config, definitions("corpora.yaml"))
    SERIES_BLOCKS = add_series(config, definitions("series.yaml"))
    EXPERIMENT = choose_experiment_name(config.get("experiment"), CONFIGURATION)
    FOLDER = f"results/{EXPERIMENT}"
    check_results_folder(FOLDER, CONFIGURATION)
    RUNS, PREPARED, NEEDS, FLEETS = {}, {}, {}, {}
    for corpus in config["corpora"]:
        for unit in [unit for unit in config["units"] if unit in CORPORA[corpus]["units"]]:
            place, prepared = Place(FOLDER, corpus, unit), configuration.prepared_name(config, DEFAULT, unit)
            PREPARED[place] = f"results/corpora/{corpus}/{prepared}"
            runs = configuration.text_runs(config, unit, CORPORA[corpus])
            NEEDS[place] = configuration.find_longest_need(runs)
            FLEETS[place] = configuration.group_fleets(config["rnn"]["fleet"], runs)
            RUNS |= {Run(*place, *run): runs[run] for run in runs}
    for name in config["forecast"]["series"]:
        place, prepared = Place(FOLDER, name, SERIES), prepared_series_name(config["forecast"], DEFAULT["forecast"])
        PREPARED[place] = f"results/corpora/{name}/{prepared}"
        runs = list_forecast_runs(config["forecast"], SERIES_BLOCKS[name])
        RUNS |= {Run(*place, FORECAST, model): runs[model] for model in runs}
    SETTINGS = {run: RUNS[run]["settings"] for run in RUNS}
    PUBLISHED = assign_cells(config["published"], SETTINGS) if "published" in config else {}
except InputError as error:
    raise WorkflowError(str(error)) from None

for sentence in configuration.describe_missing_texts(config, CORPORA):  # before Snakemake lists them
    print(sentence, file=sys.stderr)

TEXTS = [place for place in PREPARED if place.unit != SERIES]
ANSWERS = [place for place in TEXTS if "second_text" in CORPORA[place.corpus]]
UNIT_OF = {folder: place.unit for place, folder in PREPARED.items()}
RUNS_AT = {place: [] for place in PREPARED}
for run in RUNS:
    RUNS_AT[run.place].append(run)
AUDITED_TEXTS = [
    place for place in TEXTS if configuration.is_audited(config["audit"], [RUNS[run] for run in RUNS_AT[place]])
]


def command_again():
    """Return the command that runs this experiment again, without paths of this machine."""
    values = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
    values = [value.replace(f"{Path.home()}/", "~/") for value in values]
    options = ["--configfile", *CONFIGURATION] * bool(CONFIGURATION) + ["--config", *values] * bool(values)
    return shlex.join(["snakemake", "--cores", "all", *options])


# --------------------------------------------------------------------------------------------------- the code of a rule


def script(name):
    """Return the path of a rule's program, relative to the working folder."""
    return os.path.relpath(BASE / "workflow/scripts" / f"{name}.py")


def code_of(name):
    """Return a digest of a rule's program and of all library modules that it imports, directly or indirectly.

    As a parameter it reruns the rule after an edit and replaces thousands of inputs.
    """
    return lambda wildcards: digest_of(name)


@cache
def digest_of(name, *modules):
    """Return the digest of `code_of`, 16 hexadecimal digits; `modules` are imported by the running program."""
    files, waiting = set(), [Path(script(name)).resolve()]
    waiting += [BASE / "src" / f"{module.replace('.', '/')}.py" for module in modules]
    while waiting:
        file = waiting.pop()
        if file not in files:
            files.add(file)
            waiting += imported_by(file)
    contents = [(file.relative_to(BASE).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    return hashlib.sha256(repr(sorted(contents)).encode()).hexdigest()[:16]


def digest_of_files(*patterns):
    """Return a digest of the project's files that match, as a parameter of a rule that reads them."""
    files = sorted(file for pattern in patterns for file in BASE.glob(pattern))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


@cache
def imported_by(file):
    """Return the library modules that one file imports."""
    names = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    paths = [BASE.joinpath("src", *name.split(".")) for name in names if name.startswith("seqlab")]
    modules = [module for path in paths for module in (path.with_suffix(".py"), path / "__init__.py")]
    return [module for module in modules if module.exists()]


# ------------------------------------------------------------------------------------------------------ inputs of rules


def place_of(wildcards, unit=None):
    """Return the corpus and unit of a job."""
    return Place(FOLDER, wildcards.corpus, unit or wildcards.unit)


def prepared(name, unit=None):
    """Return a file of the prepared corpus of a job, as an input."""
    return lambda wildcards: f"{PREPARED[place_of(wildcards, unit)]}/{name}"


def files_of(name, families=None, unit=None):
    """Return the file `name` of all runs on the corpus and unit of a job, or of some families, as an input."""
    return lambda wildcards: [
        run.file(name) for run in RUNS_AT[place_of(wildcards, unit)] if families is None or run.family in families
    ]


def run_of(family, unit=None):
    """Return names, settings and seeds of the run of a job as JSON, which the program writes as its card."""

    def run_as_json(wildcards):
        run = Run(*place_of(wildcards, unit), family, wildcards.model)
        names = {"series": run.corpus} if unit == SERIES else {"corpus": run.corpus, "unit": run.unit}
        return json.dumps(names | {"family": family, "model": run.model} | RUNS[run])

    return run_as_json


def settings_of(wildcards, family, unit=None):
    """Return the settings of the run of a job."""
    return RUNS[Run(*place_of(wildcards, unit), family, wildcards.model)]["settings"]


def sample_of(wildcards):
    """Return the settings of the sample of a model, as JSON."""
    return json.dumps(config["sample"] | {"symbols": config["sample"]["symbols"][wildcards.unit]})


def as_arguments(settings):
    """Return a block of settings as arguments of a program."""
    texts = {name: map(str, value if isinstance(value, (list, tuple)) else [value]) for name, value in settings.items()}
    return " ".join(f"--{name} {' '.join(values)}" for name, values in texts.items())


# ---------------------------------------------------------------------------------------------------- resources of jobs


def by_size(base, rate=0):
    """Return a resource of a job: `base` plus `rate` for every megabyte of input, times the attempt.

    On a cluster Snakemake itself runs twice in a job, which takes 350 MB.
    """
    return lambda wildcards, input, attempt: attempt * math.ceil(base + (rate and rate * megabytes(input)))


def megabytes(files):
    """Return the size of files and of the files in folders, which input.size_mb of Snakemake omits."""
    return sum(os.path.getsize(part) for file in files for part in (file, *Path(file).glob("*"))) / 1e6


def gpus(section):
    """Return the number of GPUs of a job with a network of `section` of the configuration, rnn or forecast."""
    device = config[section]["device"]
    return lambda wildcards: int(device == "cuda" or (device == "auto" and has_gpu()))


@cache
def has_gpu():
    """Return whether this machine has an NVIDIA GPU."""
    return shutil.which("nvidia-smi") is not None


# -------------------------------------------------------------------------------------------- before and after all jobs


def cancel_timers():
    """Cancel the timers of Snakemake's scheduler, which delay its exit by up to max-jobs-per-timespan."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def print_verdicts():
    """Print the verdicts on published values, if there are any, after Snakemake's own messages."""
    for log in [Path(place.file("compare_published.log")) for place in PUBLISHED]:
        if log.is_file():
            print(f"\n{log.read_text()}", end="")


def repeat_audits():
    """Print the warnings about broken laws again, after Snakemake's own messages."""
    for log in [Path(place.file("audit_models.log")) for place in AUDITED_TEXTS]:
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        for warning in [line for line in lines if line.startswith("warning: ")]:
            print(f"\n{warning}", file=sys.stderr)


def repeat_errors(logs):
    """Print the error sentences of all logs again, after Snakemake's own messages."""
    lines = [line for log in logs for line in Path(log).read_text(errors="replace").splitlines()]
    for sentence in dict.fromkeys(line.strip() for line in lines if line.strip().startswith("error: ")):
        print(f"\n{sentence}", file=sys.stderr)


wildcard_constraints:
    experiment=re.escape(EXPERIMENT),
    corpus="|".join(re.escape(name) for name in dict.fromkeys(place.corpus for place in PREPARED)) or "(?!)",
    unit="|".join(UNITS),
    model=r"[a-z0-9._~-]+",
    scatteritem="[0-9]+-of-[0-9]+",
