"""Inputs and resources of single rules, by rule file."""

import subprocess

from seqlab.crate.contents import list_project_files
from seqlab.published import MODEL_FILES, MODEL_PROTOCOLS, list_cells
from seqlab.report import contents

# -------------------------------------------------------------------------------------------------------------- corpora


def definition_of(wildcards):
    """Return the block of a corpus as JSON, without the paths of local texts, which are inputs."""
    return json.dumps(configuration.insert_paths(CORPORA[wildcards.corpus], None))


def unit_of(wildcards):
    """Return the unit of a prepared corpus."""
    return UNIT_OF[f"results/corpora/{wildcards.corpus}/{wildcards.prepared}"]


# -------------------------------------------------------------------------------------------------------------- n-grams


def kept(model):
    """Return an n-gram model as an output that is kept, or deleted after scoring."""
    return model if config["keep_ngrams"] else temp(model)


def counts_of(wildcards):
    """Return the merged counts, if the text is counted in shards."""
    return [place_of(wildcards).file("counts/merged")] if config["counting"]["shards"] else []


def whole_of(name):
    """Return a file of the unpruned model of a pruned one, as an input."""
    return lambda wildcards: Run(*place_of(wildcards), "ngram", PRUNED[wildcards.model]).file(name)


def highest_order(wildcards):
    """Return the highest order of all n-gram models."""
    return max(order for sweep in config["ngram"] if not sweep.get("lines") for order in sweep["orders"])


def counting_memory(wildcards):
    """Return the megabytes of a counting job: its limit, the interpreter with its libraries, and Snakemake."""
    return config["counting"]["memory_mb"] + 600


def all_arpa():
    """Return the requested n-gram models in ARPA format."""
    models = configuration.ngram_runs([sweep for sweep in config["ngram"] if sweep.get("arpa")])
    return [Run(*place, "ngram", model).file("model.arpa.gz") for place in TEXTS for model in models]


# ------------------------------------------------------------------------------------------------------------- networks


@cache
def vocabulary_of(path):
    """Return the number of entries of a vocab.json."""
    return len(json.loads(Path(path).read_text(encoding="utf-8"))["tokens"])


def some_networks(wildcards):
    """Return the number of networks of a job, and settings and seeds of at most 100 of them, as JSON."""
    runs = [run for run in RUNS_AT[place_of(wildcards)] if run.family == "rnn"]
    some = runs[:: math.ceil(len(runs) / 100)]
    return json.dumps({"number": len(runs), "runs": {run.model: RUNS[run] for run in some}})


def fleet_of(wildcards):
    """Return the folder of the fleet that has trained a run, or an empty list."""
    place = place_of(wildcards)
    return [place.file(f"fleets/{name}") for name, models in FLEETS[place].items() if wildcards.model in models]


def runs_of_fleet(wildcards):
    """Return settings and seeds of the runs of a fleet, by model, as JSON."""
    place = place_of(wildcards)
    return json.dumps({model: RUNS[Run(*place, "rnn", model)] for model in FLEETS[place][wildcards.fleet]})


def training_memory(wildcards, input, attempt):
    """Return the megabytes of a training: the text, the weights with their gradients and moments, and a batch."""
    place, fleet = place_of(wildcards), wildcards.get("fleet")
    runs = [RUNS[Run(*place, "rnn", model)] for model in (FLEETS[place][fleet] if fleet else [wildcards.model])]
    settings, vocabulary = runs[0]["settings"], vocabulary_of(str(input.vocab))
    hidden, layers, embedding = settings["hidden"], settings["layers"], settings["embedding"]
    weights = 4 * hidden * ((embedding or vocabulary) + (2 * layers - 1) * hidden)  # of an LSTM; others have fewer
    weights += vocabulary * (embedding + hidden)
    batch = settings["batch_size"] * settings["steps"] * (4 * vocabulary + 16 * layers * hidden)
    networks = sum(len(run["seeds"]) for run in runs)
    numbers = networks * (7 * weights + 2 * batch)  # also gradients, two moments, a mean and the best so far
    return attempt * math.ceil(2000 + (4 * numbers + 40 * os.path.getsize(input.ids)) / 1e6)


# --------------------------------------------------------------------------------------------------------------- series


def series_block(wildcards):
    """Return the block of a series as JSON, without the path of a local file, which is an input."""
    return json.dumps({key: value for key, value in SERIES_BLOCKS[wildcards.corpus].items() if key != "path"})


def series_file(wildcards):
    """Return the local file of a series, or an empty list."""
    path = SERIES_BLOCKS[wildcards.corpus].get("path")
    return [os.path.expanduser(path)] if path else []


def window_of(wildcards):
    """Return the autoregression whose window a perceptron uses; an empty list for other networks."""
    is_perceptron = settings_of(wildcards, FORECAST, SERIES)["cell"] == "mlp"
    autoregression = Run(*place_of(wildcards, SERIES), FORECAST, "autoregression")
    return [autoregression.file("model.json")] if is_perceptron else []


# ------------------------------------------------------------------------------------------------------------ questions


def parts_of(name):
    """Return the file `name` of every run that may be a part of a mixture, as an input."""

    def files(wildcards):
        place = place_of(wildcards)
        runs = {(run.family, run.model): run for run in RUNS_AT[place]}
        parts = settings_of(wildcards, "mixture")["parts"]
        return [runs[part].file(name) for part in configuration.mixture_candidates(parts, runs)]

    return files


def published_as_arguments(wildcards):
    """Return the published table, as JSON, and the number of windows as arguments of a program."""
    return as_arguments({"published": shlex.quote(json.dumps(config["published"])), **config["protocols"]})


def published_models(wildcards):
    """Return the n-grams and networks that a published table scores again, as an input."""
    cells = [cell for cell in list_cells(config["published"]) if cell["protocol"] in MODEL_PROTOCOLS]
    runs = assign_cells({"cells": cells}, SETTINGS).get(place_of(wildcards), [])
    return [run.file(MODEL_FILES[run.family]) for run in runs]


# ---------------------------------------------------------------------------------------------------------------- audit

EXTERNAL_LIMITS = " ".join(
    f"--{key.replace('_', '-')} {config['external'][key]}" for key in ("seconds", "call_seconds", "memory")
)


def external_files(wildcards):
    """Return the files of an external model."""
    return configuration.list_external_files(settings_of(wildcards, "external"))


def all_external_files(wildcards):
    """Return the files of all external models on the corpus and unit of a job."""
    runs = [run for run in RUNS_AT[place_of(wildcards)] if run.family == "external"]
    return [file for run in runs for file in configuration.list_external_files(SETTINGS[run])]


# --------------------------------------------------------------------------------------- tables, figures and the report


def figure_of(wildcards):
    """Return the figure of a job."""
    return contents.find_figure(place_of(wildcards), wildcards.figure, ANSWERS)


def figure_inputs(wildcards):
    """Return the files that a figure is drawn from."""
    place = place_of(wildcards)
    return contents.list_paths(contents.list_figure_files(figure_of(wildcards), place, RUNS_AT[place], PREPARED[place]))


def all_figures():
    """Return the paths of all figures of the experiment."""
    return [contents.figure_file(place, name) for place in PREPARED for name in contents.list_figures(place, ANSWERS)]


def all_tables():
    """Return the tables of every corpus, unit and series."""
    of_texts = ("summary", "models", "verdicts", "breakdown", "protocols", "memory", "horizon")
    names = {place: ("summary", "models") if place.unit == SERIES else of_texts for place in PREPARED}
    names |= {place: (*names[place], "published") for place in PUBLISHED}
    names |= {place: (*names[place], "gaps") for place in ANSWERS}
    names |= {place: (*names[place], "audit") for place in AUDITED_TEXTS}
    return [place.file(f"{name}.csv") for place in PREPARED for name in names[place]]


# ------------------------------------------------------------------------------------------------------------- tracking


def tracking_address():
    """Return the address of MLflow, empty for the local database; a changed address publishes all runs there."""
    return config["tracking"]["uri"] or os.environ.get("MLFLOW_TRACKING_URI", "")


def follow_training():
    """Start the follower, if tracking.live is set; it ends with this process."""
    if config["tracking"]["live"]:
        Path("results").mkdir(exist_ok=True)
        follower = [sys.executable, "-m", "seqlab.tracking.live.follower", "--results", "results"]
        options = ["--parent", str(os.getpid()), "--uri", tracking_address(), "--experiment", f"{FOLDER}/runs.json"]
        with Path("results/follower.log").open("w") as log:
            subprocess.Popen(
                follower + options, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


# ---------------------------------------------------------------------------------------------------------- publication


def published_configuration():
    """Return all settings but those of this machine, and without absolute paths."""
    local = {key: configuration.shorten_path(config[key]) for key in ("corpus", "series") if config.get(key)}
    return {key: value for key, value in (config | local).items() if key != "tracking"}


def published_definitions():
    """Return the blocks of all corpora and series, without the paths of local files."""
    texts = {place.corpus: configuration.insert_paths(CORPORA[place.corpus], None) for place in TEXTS}
    series = [place.corpus for place in PREPARED if place.unit == SERIES]
    return texts | {
        name: {key: value for key, value in SERIES_BLOCKS[name].items() if key != "path"} for name in series
    }
