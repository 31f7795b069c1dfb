"""Questions to the ledger and the models: mixtures, verdicts, breakdown, memory, horizon, gaps, protocols, printed values.

Needs  metrics.json of the runs, and with it scores.npz, whose SHA-256 it holds; for some, the models themselves and the
       prepared corpus
Makes  results/{experiment}/{corpus}/{unit}/mixture/{model}/card.yaml, scores.npz, metrics.json, and
       results/{experiment}/{corpus}/{unit}/verdicts.csv, breakdown.csv, contrast.json, protocols.csv, memory.csv,
       horizon.csv, with a second text gaps.csv, and with published values published.csv

The last five rules also load networks and differ only in their inputs and settings.
"""

REMEMBERING = ("source", "ngram", "rnn")  # the families whose memory is measured
# the families that look ahead; n-grams only if they are kept
FORESEEING = ("source", "ngram", "rnn") if config["keep_ngrams"] else ("source", "rnn")


localrules:
    score_mixture,
    compare_models,
    explain_models,


rule score_mixture:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
        parts=parts_of("metrics.json"),
    output:
        card="results/{experiment}/{corpus}/{unit}/mixture/{model}/card.yaml",
        scores="results/{experiment}/{corpus}/{unit}/mixture/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/mixture/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/{unit}/mixture/{model}/score.log",
    conda:
        "../../environment.yml"
    params:
        script=script("score_mixture"),
        code=code_of("score_mixture"),
        run=run_of("mixture"),
    message:
        "Mixing {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule compare_models:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json"),
    output:
        verdicts=report(
            "results/{experiment}/{corpus}/{unit}/verdicts.csv",
            caption="../report/verdicts.rst",
            category="{corpus} by {unit}",
        ),
    log:
        "results/{experiment}/{corpus}/{unit}/compare_models.log",
    conda:
        "../../environment.yml"
    params:
        script=script("compare_models"),
        code=code_of("compare_models"),
    message:
        "Comparing the models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --output {output.verdicts:q}"
        " > {log:q} 2>&1"


rule explain_models:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json"),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        breakdown="results/{experiment}/{corpus}/{unit}/breakdown.csv",
        contrast="results/{experiment}/{corpus}/{unit}/contrast.json",
    log:
        "results/{experiment}/{corpus}/{unit}/explain_models.log",
    conda:
        "../../environment.yml"
    params:
        script=script("explain_models"),
        code=code_of("explain_models"),
    message:
        "Breaking down the bits of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --breakdown {output.breakdown:q}"
        " --contrast {output.contrast:q}"
        " > {log:q} 2>&1"


rule measure_memory:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json", REMEMBERING),
        weights=files_of("weights.safetensors", ["rnn"]),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        memory="results/{experiment}/{corpus}/{unit}/memory.csv",
    log:
        "results/{experiment}/{corpus}/{unit}/measure_memory.log",
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=by_size(2000, 10),
        runtime=by_size(60),
        gpu=gpus("rnn"),
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        script=script("measure_memory"),
        code=code_of("measure_memory"),
        settings=as_arguments(config["memory"]),
    message:
        "Measuring memory on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " {params.settings}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --output {output:q}"
        " > {log:q} 2>&1"


use rule measure_memory as measure_horizon with:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json", FORESEEING),
        cards=files_of("card.yaml", ["source"]),
        models=files_of("model.npz", ["ngram"] if config["keep_ngrams"] else []),
        weights=files_of("weights.safetensors", ["rnn"]),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        horizon="results/{experiment}/{corpus}/{unit}/horizon.csv",
    log:
        "results/{experiment}/{corpus}/{unit}/measure_horizon.log",
    params:
        script=script("measure_horizon"),
        code=code_of("measure_horizon"),
        settings=as_arguments({"families": FORESEEING} | config["horizon"]),
    message:
        "Measuring the horizon on {wildcards.corpus} by {wildcards.unit}"


use rule measure_memory as measure_gaps with:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json", FORESEEING),
        cards=files_of("card.yaml", ["source"]),
        models=files_of("model.npz", ["ngram"] if config["keep_ngrams"] else []),
        weights=files_of("weights.safetensors", ["rnn"]),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        gaps="results/{experiment}/{corpus}/{unit}/gaps.csv",
    log:
        "results/{experiment}/{corpus}/{unit}/measure_gaps.log",
    params:
        script=script("measure_gaps"),
        code=code_of("measure_gaps"),
        settings=as_arguments({"families": FORESEEING}),
    message:
        "Measuring gaps on {wildcards.corpus} by {wildcards.unit}"


use rule measure_memory as compare_protocols with:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json", ["rnn"]),
        weights=files_of("weights.safetensors", ["rnn"]),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        protocols=report(
            "results/{experiment}/{corpus}/{unit}/protocols.csv",
            caption="../report/protocols.rst",
            category="{corpus} by {unit}",
        ),
    log:
        "results/{experiment}/{corpus}/{unit}/compare_protocols.log",
    params:
        script=script("compare_protocols"),
        code=code_of("compare_protocols"),
        settings=as_arguments(config["protocols"]),
    message:
        "Comparing protocols on {wildcards.corpus} by {wildcards.unit}"


use rule measure_memory as compare_published with:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json"),
        cards=files_of("card.yaml", ["source"]),
        models=published_models,
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        published=report(
            "results/{experiment}/{corpus}/{unit}/published.csv",
            caption="../report/published.rst",
            category="{corpus} by {unit}",
        ),
    log:
        "results/{experiment}/{corpus}/{unit}/compare_published.log",
    params:
        script=script("compare_published"),
        code=code_of("compare_published"),
        settings=published_as_arguments,
    message:
        "Comparing {wildcards.corpus} by {wildcards.unit} with published values"
