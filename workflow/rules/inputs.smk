"""Inputs and resources of single rules, rule file by rule file; common.smk has what all share."""

import subprocess

from seqlab.report import contents

# -------------------------------------------------------------------------------------------------------------- corpora


def definition_of(wildcards):
    """The block of a corpus, as JSON; the paths of local texts are inputs instead."""
    return json.dumps(configuration.with_paths(CORPORA[wildcards.corpus], None))


def unit_of(wildcards):
    """The unit that a prepared corpus is cut into."""
    return UNIT_OF[f"results/corpora/{wildcards.corpus}/{wildcards.prepared}"]


# -------------------------------------------------------------------------------------------------------------- n-grams


def kept(model):
    """An n-gram model that stays, or goes when it has been scored."""
    return model if config["keep_ngrams"] else temp(model)


def counts_of(wildcards):
    """The merged counts, where the text is counted in shards."""
    return [place_of(wildcards).file("counts/merged")] if config["counting"]["shards"] else []


def whole_of(name):
    """A file of the model that a smaller one is made of, as an input."""
    return lambda wildcards: Run(*place_of(wildcards), "ngram", PRUNED[wildcards.model]).file(name)


def highest_order(wildcards):
    """The highest order of all n-gram models."""
    return max(order for sweep in config["ngram"] for order in sweep["orders"])


def counting_memory(wildcards):
    """Megabytes that a job of counting needs: what it may use, the interpreter with its libraries, and Snakemake."""
    return config["counting"]["memory_mb"] + 600


def all_arpa():
    """The n-gram models that are wanted in the format of other tools."""
    wanted = configuration.ngram_runs([sweep for sweep in config["ngram"] if sweep.get("arpa")])
    return [Run(*place, "ngram", model).file("model.arpa.gz") for place in TEXTS for model in wanted]


# ------------------------------------------------------------------------------------------------------------- networks


@cache
def vocabulary_of(path):
    """The number of entries of a vocab.json."""
    return len(json.loads(Path(path).read_text(encoding="utf-8"))["tokens"])


def training_memory(wildcards, input, attempt):
    """Megabytes that a network needs in training: the text, the weights with all that is kept of each, and a batch."""
    run = RUNS[Run(*place_of(wildcards), "rnn", wildcards.model)]
    hidden, layers, settings = run["settings"]["hidden"], run["settings"]["layers"], run["settings"]
    vocabulary = vocabulary_of(str(input.vocab))
    weights = 8 * layers * hidden**2 + 2 * vocabulary * hidden  # those of an LSTM; others have fewer
    batch = settings["batch_size"] * settings["steps"] * (4 * vocabulary + 16 * layers * hidden)
    numbers = len(run["seeds"]) * (7 * weights + 2 * batch)  # also gradients, two moments, a mean and the best so far
    return attempt * math.ceil(2000 + (4 * numbers + 40 * os.path.getsize(input.ids)) / 1e6)


# --------------------------------------------------------------------------------------------------------------- series


def series_block(wildcards):
    """The block of a series, as JSON; the path of a local file is an input instead."""
    return json.dumps({key: value for key, value in SERIES_BLOCKS[wildcards.corpus].items() if key != "path"})


def series_file(wildcards):
    """The local file that a series is read from, or nothing."""
    path = SERIES_BLOCKS[wildcards.corpus].get("path")
    return [os.path.expanduser(path)] if path else []


def window_of(wildcards):
    """The autoregression whose window a perceptron takes; nothing for other networks."""
    is_perceptron = settings_of(wildcards, FORECAST, SERIES)["cell"] == "mlp"
    autoregression = Run(*place_of(wildcards, SERIES), FORECAST, "autoregression")
    return [autoregression.file("model.json")] if is_perceptron else []


# ------------------------------------------------------------------------------------------------------------ questions


def parts_of(name):
    """The file `name` of every run that may be a part of a mixture, as an input."""

    def files(wildcards):
        place = place_of(wildcards)
        runs = {(run.family, run.model): run for run in RUNS_AT[place]}
        parts = settings_of(wildcards, "mixture")["parts"]
        return [runs[part].file(name) for part in configuration.mixture_candidates(parts, runs)]

    return files


# --------------------------------------------------------------------------------------- tables, figures and the report


def figure_of(wildcards):
    """The entry of a figure in the table of all."""
    return contents.figure_named(place_of(wildcards), wildcards.figure)


def figure_inputs(wildcards):
    """Every file that a figure is drawn from."""
    place = place_of(wildcards)
    return contents.paths_of(contents.files_of(figure_of(wildcards), place, RUNS_AT[place], PREPARED[place]))


def all_figures():
    """Every figure of the experiment."""
    return [contents.figure_file(place, name) for place in PREPARED for name in contents.figures_of(place)]


def all_tables():
    """The tables of every corpus, unit and series."""
    of_texts = ("summary", "models", "verdicts", "breakdown", "protocols", "memory", "horizon")
    names = {place: ("summary", "models") if place.unit == SERIES else of_texts for place in PREPARED}
    return [place.file(f"{name}.csv") for place in PREPARED for name in names[place]]


# ------------------------------------------------------------------------------------------------------------- tracking


def tracking_address():
    """Where runs go; empty for the database among the results. Another address publishes everything there."""
    return config["tracking"]["uri"] or os.environ.get("MLFLOW_TRACKING_URI", "")


def follow_training():
    """Start the follower, if the configuration wants one; it watches this process and ends with it."""
    if config["tracking"]["live"]:
        Path("results").mkdir(exist_ok=True)
        follower = [sys.executable, "-m", "seqlab.tracking.live.follower", "--results", "results"]
        watched = ["--parent", str(os.getpid()), "--uri", tracking_address(), "--experiment", f"{FOLDER}/runs.json"]
        with Path("results/follower.log").open("w") as log:
            subprocess.Popen(
                follower + watched, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
