"""Recurrent networks: the time that they will take, and a job for each run, which trains and scores all seeds.

With rnn.fleet: shapes, the runs that differ in rates and dropout alone are trained by one job before.

Needs  ids.npy, splits.json, vocab.json of the prepared corpus
Makes  results/{experiment}/{corpus}/{unit}/training_time.json
       results/{experiment}/{corpus}/{unit}/fleets/{fleet}/{model}/weights.safetensors, network.json, training.json,
       history.csv
       results/{experiment}/{corpus}/{unit}/rnn/{model}/card.yaml, weights.safetensors, network.json, training.json,
       history.csv, scores.npz, metrics.json, sample.txt
"""


rule estimate_training:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        times="results/{experiment}/{corpus}/{unit}/training_time.json",
    log:
        "results/{experiment}/{corpus}/{unit}/training_time.log",
    priority: 1  # told before the first training
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=by_size(3000, 120),
        runtime=by_size(15),
        gpu=gpus("rnn"),
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
        # not parameters, whose change would be a reason to measure and to train again
        networks=some_networks,
        together=workflow.resource_settings.cores or workflow.resource_settings.nodes or 1,
    params:
        script=script("estimate_training"),
    message:
        "Estimating the time of training on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --networks {resources.networks:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --cores {resources.together}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --output {output.times:q}"
        " 2>&1 | tee -i {log:q}"


rule train_fleet:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",
        times="results/{experiment}/{corpus}/{unit}/training_time.json",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        fleet=directory("results/{experiment}/{corpus}/{unit}/fleets/{fleet}"),
    log:
        "results/{experiment}/{corpus}/{unit}/fleets/{fleet}.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/fleets/{fleet}.benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=by_size(240),  # the next attempt continues the training
        gpu=gpus("rnn"),
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        script=script("train_fleet"),
        code=code_of("train_fleet"),
        runs=runs_of_fleet,
    message:
        "Training the fleet {wildcards.fleet} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --runs {params.runs:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --code {params.code}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --folder {output.fleet:q}"
        " 2>&1 | tee -i {log:q}"


rule train_rnn:
    input:
        trained=fleet_of,
        check="results/{experiment}/{corpus}/{unit}/check.json",  # no training on an unusable text
        times="results/{experiment}/{corpus}/{unit}/training_time.json",  # told before
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        card="results/{experiment}/{corpus}/{unit}/rnn/{model}/card.yaml",
        weights="results/{experiment}/{corpus}/{unit}/rnn/{model}/weights.safetensors",
        network="results/{experiment}/{corpus}/{unit}/rnn/{model}/network.json",
        training="results/{experiment}/{corpus}/{unit}/rnn/{model}/training.json",
        history="results/{experiment}/{corpus}/{unit}/rnn/{model}/history.csv",
        scores="results/{experiment}/{corpus}/{unit}/rnn/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/rnn/{model}/metrics.json",
        sample="results/{experiment}/{corpus}/{unit}/rnn/{model}/sample.txt",
    log:
        "results/{experiment}/{corpus}/{unit}/rnn/{model}/train.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/rnn/{model}/train.benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=by_size(240),  # the next attempt continues the training
        gpu=gpus("rnn"),
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        script=script("train_rnn"),
        code=code_of("train_rnn"),
        run=run_of("rnn"),
        sample=sample_of,
    message:
        "Training {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --code {params.code}"
        " --trained {input.trained:q}"
        " --sample {params.sample:q}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --folder $(dirname {output.card:q})"
        " 2>&1 | tee -i {log:q}"
