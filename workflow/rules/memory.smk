"""How far back models remember: bits against the length of the context.

Needs  ids.npy, splits.json, metrics.json and scores.npz of n-grams, weights and metrics.json of networks
Makes  results/{corpus}/{unit}/memory.csv
"""


rule measure_memory:
    input:
        metrics=remembering_of,
        lists=lambda wildcards: lists_of(wildcards, REMEMBERING),
        scores=lambda wildcards: scores_beside(remembering_of(wildcards)),
        weights=weights_of,
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        script=script("measure_memory"),
        library=library("measure_memory"),
    output:
        memory="results/{corpus}/{unit}/memory.csv",
    log:
        "results/{corpus}/{unit}/measure_memory.log",
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
        contexts=config["memory"]["contexts"],
        symbols=config["memory"]["symbols"],
    message:
        "Measuring memory on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {params.runs:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --contexts {params.contexts}"
        " --symbols {params.symbols}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --output {output.memory:q}"
        " > {log:q} 2>&1"
