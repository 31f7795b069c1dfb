"""Functions and tables that the rules share; the standard library and what Snakemake itself has loaded, nothing else.

RUNS[corpus, unit][family, model] holds the settings and seeds of every run; each is written to the run's card.
"""

import ast
import gc
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

BASE = Path(workflow.basedir)

# A plan is millions of objects that all stay: to look for garbage among them after every 700 new ones, which is what
# Python does unasked, takes a fifth of the time that a large experiment is planned in.
gc.set_threshold(100_000, 50, 50)

# Jobs use the interpreter and the library that belong to this Snakefile, whether or not an environment is activated.
for variable, first in {"PATH": Path(sys.executable).parent, "PYTHONPATH": BASE / "src"}.items():
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))
sys.path.insert(0, str(BASE / "src"))

from seqlab.configuration import checked, local_texts, mixture_candidates, mixture_runs, ngram_runs, with_paths
from seqlab.errors import InputError
from seqlab.forecast.definitions import forecast_runs, longest_needs, with_series

try:
    SCHEMA = load_configfile(BASE / "workflow/schemas/config.schema.yaml")
    CORPORA = checked(config, SCHEMA, load_configfile(BASE / "config/corpora.yaml"))
    SERIES = with_series(config, load_configfile(BASE / "config/series.yaml"))
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
FORECASTERS = "(mlp|rnn|gru|lstm)-.+"  # the models of series that are networks


def run_of(wildcards):
    """Settings and seeds of one run, as JSON."""
    return json.dumps(RUNS[wildcards.corpus, wildcards.unit][wildcards.family, wildcards.model])


def metrics_of(wildcards, families=None):
    """The metrics of every run on one corpus and unit, or of some families."""
    runs = RUNS[wildcards.corpus, wildcards.unit]
    wanted = [(family, model) for family, model in runs if families is None or family in families]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/{family}/{model}/metrics.json" for family, model in wanted]


def lists_of(wildcards, families=None):
    """The lists of runs on one corpus and unit, or of some families."""
    present = dict.fromkeys(family for family, model in RUNS[wildcards.corpus, wildcards.unit])
    wanted = [family for family in present if families is None or family in families]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/{family}/runs.txt" for family in wanted]


def all_lists():
    """The lists of all runs of the experiment."""
    families = dict.fromkeys((*place, family) for place, runs in RUNS.items() for family, model in runs)
    return [f"results/{corpus}/{unit}/{family}/runs.txt" for corpus, unit, family in families]


def listed(wildcards, input):
    """The lists of runs as arguments that argparse replaces by their lines."""
    return [f"@{path}" for path in input.lists]


def scores_beside(metrics):
    """The ledger of each model that has these metrics."""
    return [path.replace("metrics.json", "scores.npz") for path in metrics]


def parts_of(wildcards):
    """The metrics of every model that may be a part of a mixture."""
    runs = RUNS[wildcards.corpus, wildcards.unit]
    parts = runs["mixture", wildcards.model]["settings"]["parts"]
    found = mixture_candidates(parts, runs)
    return [f"results/{wildcards.corpus}/{wildcards.unit}/{family}/{model}/metrics.json" for family, model in found]


def part_lists_of(wildcards):
    """The lists of the families of a mixture."""
    return lists_of(wildcards, {path.split("/")[3] for path in parts_of(wildcards)})


REMEMBERING = ("source", "ngram", "rnn")  # the families whose memory is measured


def remembering_of(wildcards):
    """The metrics of the models whose memory is measured."""
    return metrics_of(wildcards, REMEMBERING)


# The families that are asked for symbols further ahead; n-grams only where they are kept.
FORESEEING = ("source", "ngram", "rnn") if config["keep_ngrams"] else ("source", "rnn")


def foreseeing_of(wildcards):
    """The metrics of the models that are asked for symbols further ahead."""
    return metrics_of(wildcards, FORESEEING)


def ngram_models_of(wildcards):
    """The n-gram models that are kept on one corpus and unit."""
    kept = metrics_of(wildcards, ("ngram",)) if config["keep_ngrams"] else []
    return [path.replace("metrics.json", "model.npz") for path in kept]


def weights_of(wildcards):
    """The weights of every network on one corpus and unit."""
    return [path.replace("metrics.json", "weights.safetensors") for path in metrics_of(wildcards, ("rnn",))]


def histories_of(wildcards):
    """The learning curves of every network on one corpus and unit."""
    runs = RUNS[wildcards.corpus, wildcards.unit]
    models = [model for family, model in runs if family == "rnn"]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/rnn/{model}/history.csv" for model in models]


def source_of(wildcards):
    """The metrics of the source that generated the text, where it is known."""
    known = ("source", "true-source") in RUNS[wildcards.corpus, wildcards.unit]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/source/true-source/metrics.json"] if known else []


def all_metrics():
    """The metrics of every run of the experiment."""
    return [
        f"results/{corpus}/{unit}/{family}/{model}/metrics.json"
        for (corpus, unit), runs in RUNS.items()
        for family, model in runs
    ]


def experiment_name():
    """The name of this experiment: that of its last configuration file."""
    return [Path(file).stem for file in workflow.overwrite_configfiles or ["config/config.yaml"]][-1]


def command_again():
    """The command that runs this experiment again, without a path of this machine."""
    files = [os.path.relpath(file) for file in workflow.overwrite_configfiles]
    values = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
    values = [value.replace(f"{Path.home()}/", "~/") for value in values]
    given = ["--configfile", *files] * bool(files) + ["--config", *values] * bool(values)
    return shlex.join(["snakemake", "--cores", "all", *given])


def tracking_address():
    """Where runs go; empty for the database among the results. Another address publishes everything there."""
    return config["tracking"]["uri"] or os.environ.get("MLFLOW_TRACKING_URI", "")


def follow_training():
    """Start the follower, if the configuration wants one; it watches this process and ends with it."""
    if config["tracking"]["live"]:
        Path("results").mkdir(exist_ok=True)
        follower = [sys.executable, "-m", "seqlab.tracking.follower", "--results", "results"]
        watched = ["--parent", str(os.getpid()), "--uri", tracking_address(), "--sweep", experiment_name()]
        with Path("results/follower.log").open("w") as log:
            subprocess.Popen(
                follower + watched, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


def expected_results():
    """The committed results of this experiment, named after its last configuration."""
    return os.path.relpath(BASE / "config" / "expected" / f"{experiment_name()}.csv")


def all_arpa():
    """The n-gram models that are wanted in the format of other tools."""
    wanted = ngram_runs([sweep for sweep in config["ngram"] if sweep.get("arpa")])
    return [f"results/{corpus}/{unit}/ngram/{model}/model.arpa.gz" for corpus, unit in RUNS for model in wanted]


def all_figures():
    """Every figure of the experiment."""
    names = [
        "perplexity_by_order",
        "layers_by_hidden",
        "learning_curves",
        "cost",
        "who_knows_what",
        "memory",
        "horizon",
    ]
    return [f"results/{corpus}/{unit}/figures/{name}.svg" for corpus, unit in RUNS for name in names]


def all_summaries():
    """The tables of every corpus and unit."""
    names = ("summary", "models", "verdicts", "breakdown", "protocols")
    return [f"results/{corpus}/{unit}/{name}.csv" for corpus, unit in RUNS for name in names]


def highest_order(wildcards):
    """The highest order of all n-gram models."""
    return max(order for sweep in config["ngram"] for order in sweep["orders"])


def counts_of(wildcards):
    """The merged counts, where the text is counted in shards."""
    return [f"results/{wildcards.corpus}/{wildcards.unit}/counts/merged"] if config["counting"]["shards"] else []


def by_size(base, each=0):
    """A resource of a job: `base`, `each` more for every megabyte it reads, and all of it again with every attempt.

    On a cluster Snakemake itself runs twice in a job, which takes 350 MB.
    """
    return lambda wildcards, input, attempt: attempt * math.ceil(base + (each * megabytes(input) if each else 0))


def megabytes(files):
    """The size of files and folders. Snakemake's own input.size_mb takes a quarter of the time of a large plan."""
    return sum(os.path.getsize(part) for file in files for part in (file, *Path(file).glob("*"))) / 1e6


def counting_memory(wildcards):
    """Megabytes that a job of counting needs: what it may use, the interpreter with its libraries, and Snakemake."""
    return config["counting"]["memory_mb"] + 600


def training_memory(wildcards, input, attempt):
    """Megabytes that a network needs in training: the text, the weights with all that is kept of each, and a batch."""
    run = RUNS[wildcards.corpus, wildcards.unit]["rnn", wildcards.model]
    hidden, layers, training = run["settings"]["hidden"], run["settings"]["layers"], run["settings"]
    vocabulary = os.path.getsize(input.vocab) / 12  # a token, its count and what stands between them
    weights = 8 * layers * hidden**2 + 2 * vocabulary * hidden  # those of an LSTM; others have fewer
    batch = training["batch_size"] * training["steps"] * (4 * vocabulary + 16 * layers * hidden)
    numbers = len(run["seeds"]) * (7 * weights + 2 * batch)  # also gradients, two moments, a mean and the best so far
    return attempt * math.ceil(2000 + (4 * numbers + 10 * os.path.getsize(input.ids)) / 1e6)


def kept(model):
    """An n-gram model that stays, or goes when it has been scored."""
    return model if config["keep_ngrams"] else temp(model)


def forecast_metrics_of(wildcards):
    """The metrics of every model of one series."""
    return [f"results/forecast/{wildcards.series}/{model}/metrics.json" for model in FORECASTS[wildcards.series]]


def forecasts_of(wildcards):
    """The forecasts of every model of one series."""
    return [path.replace("metrics.json", "forecasts.npz") for path in forecast_metrics_of(wildcards)]


def all_forecast_metrics():
    """The metrics of every model of every series."""
    return [f"results/forecast/{series}/{model}/metrics.json" for series, runs in FORECASTS.items() for model in runs]


def all_forecast_lists():
    """The lists of the models of every series."""
    return [f"results/forecast/{series}/runs.txt" for series in FORECASTS]


def all_forecast_tables():
    """The tables of every series."""
    return [f"results/forecast/{series}/{name}.csv" for series in FORECASTS for name in ("summary", "models")]


def all_forecast_figures():
    """Every figure of every series."""
    names = ["forecast_paths", "error_by_horizon", "residual_autocorrelation", "markov_check"]
    return [f"results/forecast/{series}/figures/{name}.svg" for series in FORECASTS for name in names]


def window_of(wildcards):
    """The autoregression whose window a perceptron takes; nothing for other networks."""
    perceptron = wildcards.model.startswith("mlp-")
    return [f"results/forecast/{wildcards.series}/autoregression/model.json"] if perceptron else []


def file_of(wildcards):
    """The local file that a series is read from, or nothing."""
    return [SERIES[wildcards.series]["path"]] if "path" in SERIES[wildcards.series] else []


def series_definition_of(wildcards):
    """The block of a series, as JSON; the path of a local file is an input instead."""
    return json.dumps({key: value for key, value in SERIES[wildcards.series].items() if key != "path"})


def forecast_run_of(wildcards):
    """Settings and seeds of one model of a series, as JSON."""
    return json.dumps(FORECASTS[wildcards.series][wildcards.model])


def definition_of(wildcards):
    """The block of a corpus, as JSON; the paths of local texts are inputs instead."""
    return json.dumps(with_paths(CORPORA[wildcards.corpus], None))


def kind_of(wildcards):
    """Where a corpus comes from."""
    return CORPORA[wildcards.corpus]["kind"]


def cleaning_of(wildcards):
    """How a corpus is cleaned."""
    return CORPORA[wildcards.corpus]["cleaning"]


def min_freq_of(wildcards):
    """How often a token must occur to be in the vocabulary."""
    return config["vocab"]["min_freq"][wildcards.unit]


def text_of(wildcards):
    """The local texts that a corpus is copied from, or nothing."""
    return local_texts(CORPORA[wildcards.corpus])


def sample_of(wildcards):
    """How the sample of a model is drawn, as JSON."""
    return json.dumps(config["sample"] | {"symbols": config["sample"]["symbols"][wildcards.unit]})


def sample_symbols_of(wildcards):
    """How long the sample of a model is."""
    return config["sample"]["symbols"][wildcards.unit]


def gpus(wildcards):
    """The GPUs of a job that trains or runs a network."""
    return int(config["rnn"]["device"] == "cuda" or (config["rnn"]["device"] == "auto" and has_gpu()))


@cache
def has_gpu():
    """Whether this machine has an NVIDIA GPU."""
    return shutil.which("nvidia-smi") is not None


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
    corpus="|".join(map(re.escape, config["corpora"])) or "(?!)",  # nothing, where there are no texts
    series="|".join(map(re.escape, FORECASTS)) or "(?!)",
    unit="char|word|byte|bpe",
    family="source|compressor|ngram|rnn|mixture",
    model="[a-z0-9.-]+",
    scatteritem="[0-9]+-of-[0-9]+",
