"""How much models know of symbols further ahead: bits against the number of steps.

Needs  ids.npy, splits.json, vocab.json, metrics.json of the source, n-grams and networks, model.npz, weights
Makes  results/{corpus}/{unit}/horizon.csv
"""


rule measure_horizon:
    input:
        metrics=foreseeing_of,
        lists=lambda wildcards: lists_of(wildcards, FORESEEING),
        models=ngram_models_of,
        weights=weights_of,
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("measure_horizon"),
        library=library("measure_horizon"),
    output:
        horizon="results/{corpus}/{unit}/horizon.csv",
    log:
        "results/{corpus}/{unit}/measure_horizon.log",
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=by_size(2000, 10),
        runtime=by_size(60),
        gpu=gpus,
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        runs=listed,
        steps=config["horizon"]["steps"],
        symbols=config["horizon"]["symbols"],
        samples=config["horizon"]["samples"],
    message:
        "Looking ahead on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {params.runs:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --steps {params.steps}"
        " --symbols {params.symbols}"
        " --samples {params.samples}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --output {output.horizon:q}"
        " > {log:q} 2>&1"
