"""The memory, time and GPUs that a job needs."""

import math
import shutil


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


def gpus(wildcards):
    """The GPUs of a job that trains or runs a network."""
    return int(config["rnn"]["device"] == "cuda" or (config["rnn"]["device"] == "auto" and has_gpu()))


@cache
def has_gpu():
    """Whether this machine has an NVIDIA GPU."""
    return shutil.which("nvidia-smi") is not None
