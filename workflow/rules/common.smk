"""The parts that all rules share: the checked configuration, every run that it asks for, and what rules read.

Nothing is imported but the standard library and what Snakemake itself has loaded.

The job that makes a run writes all of its files, metrics.json last, with the SHA-256 of scores.npz in it. So a rule that
has metrics.json as input has scores.npz too, and the program that reads it checks it; in the same way weights.safetensors
stands for network.json. Thousands of runs are planned in half the time.

    RUNS      every run of the experiment -> its settings and seeds, which become the run's card
    PREPARED  every corpus and unit of the experiment -> the folder of its ids, results/corpora/{corpus}/{prepared}
    NEEDS     every corpus and unit -> the run that needs the longest text
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

# Jobs use the interpreter and the library that belong to this Snakefile, whether or not an environment is activated.
for variable, first in {"PATH": Path(sys.executable).parent, "PYTHONPATH": BASE / "src"}.items():
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))
sys.path.insert(0, str(BASE / "src"))

from seqlab import configuration
from seqlab.io.errors import InputError
from seqlab.series.definitions import add_series, list_forecast_runs, longest_needs, prepared_series_name
from seqlab.io.runs import FORECAST, SERIES, Place, Run, conflict, experiment_name, older_results

# ------------------------------------------------------------------------------------------------- what this call runs

CONFIGURATION = [os.path.relpath(file) for file in workflow.overwrite_configfiles or []]
UNITS = ("char", "word", "byte", "bpe")

try:
    CORPORA = configuration.checked(config, definitions("corpora.yaml"))
    SERIES_BLOCKS = add_series(config, definitions("series.yaml"))
    EXPERIMENT = experiment_name(config.get("experiment"), CONFIGURATION)
    FOLDER = f"results/{EXPERIMENT}"
    conflict(FOLDER, CONFIGURATION)
    RUNS, PREPARED, NEEDS = {}, {}, {}
    for corpus in config["corpora"]:
        for unit in [unit for unit in config["units"] if unit in CORPORA[corpus]["units"]]:
            place, prepared = Place(FOLDER, corpus, unit), configuration.prepared_name(config, DEFAULT, unit)
            PREPARED[place] = f"results/corpora/{corpus}/{prepared}"
            asked = configuration.text_runs(config, unit, CORPORA[corpus])
            NEEDS[place] = configuration.longest_need(asked)
            RUNS |= {Run(*place, *run): asked[run] for run in asked}
    for name in config["forecast"]["series"]:
        place, prepared = Place(FOLDER, name, SERIES), prepared_series_name(config["forecast"], DEFAULT["forecast"])
        PREPARED[place] = f"results/corpora/{name}/{prepared}"
        asked = list_forecast_runs(config["forecast"], SERIES_BLOCKS[name])
        RUNS |= {Run(*place, FORECAST, model): asked[model] for model in asked}
except InputError as error:
    raise WorkflowError(str(error)) from None

TEXTS = [place for place in PREPARED if place.unit != SERIES]
UNIT_OF = {folder: place.unit for place, folder in PREPARED.items()}
RUNS_AT = {place: [] for place in PREPARED}
for run in RUNS:
    RUNS_AT[run.place].append(run)


def command_again():
    """The command that runs this experiment again, without a path of this machine."""
    values = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
    values = [value.replace(f"{Path.home()}/", "~/") for value in values]
    given = ["--configfile", *CONFIGURATION] * bool(CONFIGURATION) + ["--config", *values] * bool(values)
    return shlex.join(["snakemake", "--cores", "all", *given])


# -------------------------------------------------------------------------------------------------- the code of a rule


def script(name):
    """The program of a rule, from the working folder."""
    return os.path.relpath(BASE / "workflow/scripts" / f"{name}.py")


def code_of(name):
    """A digest of a rule's program and of every library module that it imports, directly or not.

    As a parameter it makes the rule run again after an edit, as thousands of inputs would.
    """
    return lambda wildcards: digest_of(name)


@cache
def digest_of(name, *modules):
    """The digest that `code_of` gives, 16 hexadecimal digits; `modules` are imported by name while the program runs."""
    found, waiting = set(), [Path(script(name)).resolve()]
    waiting += [BASE / "src" / f"{module.replace('.', '/')}.py" for module in modules]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imported_by(file)
    contents = [(file.relative_to(BASE).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()) for file in found]
    return hashlib.sha256(repr(sorted(contents)).encode()).hexdigest()[:16]


def digest_of_files(*patterns):
    """A digest of the project's files that match, as a parameter of a rule that reads them."""
    files = sorted(file for pattern in patterns for file in BASE.glob(pattern))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


@cache
def imported_by(file):
    """The library modules that one file imports."""
    names = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    paths = [BASE.joinpath("src", *name.split(".")) for name in names if name.startswith("seqlab")]
    modules = [module for path in paths for module in (path.with_suffix(".py"), path / "__init__.py")]
    return [module for module in modules if module.exists()]


# ---------------------------------------------------------------------------------------------- what rules of runs read


def place_of(wildcards, unit=None):
    """The corpus and unit that a job is about."""
    return Place(FOLDER, wildcards.corpus, unit or wildcards.unit)


def prepared(name, unit=None):
    """A file of the prepared corpus that a job is about, as an input."""
    return lambda wildcards: f"{PREPARED[place_of(wildcards, unit)]}/{name}"


def files_of(name, families=None, unit=None):
    """The file `name` of every run on the corpus and unit that a job is about, or of some families, as an input."""
    return lambda wildcards: [
        run.file(name) for run in RUNS_AT[place_of(wildcards, unit)] if families is None or run.family in families
    ]


def run_of(family, unit=None):
    """What decides the run that a job makes, as JSON: its names, settings and seeds; the program writes it as card."""

    def asked(wildcards):
        run = Run(*place_of(wildcards, unit), family, wildcards.model)
        names = {"series": run.corpus} if unit == SERIES else {"corpus": run.corpus, "unit": run.unit}
        return json.dumps(names | {"family": family, "model": run.model} | RUNS[run])

    return asked


def settings_of(wildcards, family, unit=None):
    """The settings of the run that a job makes."""
    return RUNS[Run(*place_of(wildcards, unit), family, wildcards.model)]["settings"]


def sample_of(wildcards):
    """The settings of the sample of a model, as JSON."""
    return json.dumps(config["sample"] | {"symbols": config["sample"]["symbols"][wildcards.unit]})


def as_arguments(settings):
    """A block of settings as arguments of a program."""
    texts = {name: map(str, value if isinstance(value, (list, tuple)) else [value]) for name, value in settings.items()}
    return " ".join(f"--{name} {' '.join(values)}" for name, values in texts.items())


# ----------------------------------------------------------------------------------------------------- what a job needs


def by_size(base, each=0):
    """A resource of a job: `base`, `each` more for every megabyte it reads, and all of it again with every attempt.

    On a cluster Snakemake itself runs twice in a job, which takes 350 MB.
    """
    return lambda wildcards, input, attempt: attempt * math.ceil(base + (each * megabytes(input) if each else 0))


def megabytes(files):
    """The size of files and of what lies in folders, which Snakemake's own input.size_mb leaves out."""
    return sum(os.path.getsize(part) for file in files for part in (file, *Path(file).glob("*"))) / 1e6


def gpus(section):
    """The GPUs of a job that trains or runs a network of a `section` of the configuration, rnn or forecast."""
    device = config[section]["device"]
    return lambda wildcards: int(device == "cuda" or (device == "auto" and has_gpu()))


@cache
def has_gpu():
    """Return whether this machine has an NVIDIA GPU."""
    return shutil.which("nvidia-smi") is not None


# ---------------------------------------------------------------------------------------------- before and after all jobs


def cancel_timers():
    """End the timers of Snakemake's scheduler, which would hold up its exit by as much as max-jobs-per-timespan."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def repeat_errors(logs):
    """Print the sentences that say what went wrong once more, after everything Snakemake has to tell about the jobs."""
    lines = [line for log in logs for line in Path(log).read_text(errors="replace").splitlines()]
    for sentence in dict.fromkeys(line.strip() for line in lines if line.strip().startswith("error: ")):
        print(f"\n{sentence}", file=sys.stderr)


wildcard_constraints:
    experiment=re.escape(EXPERIMENT),
    corpus="|".join(re.escape(name) for name in dict.fromkeys(place.corpus for place in PREPARED)) or "(?!)",
    unit="|".join(UNITS),
    model=r"[a-z0-9._~-]+",
    scatteritem="[0-9]+-of-[0-9]+",
