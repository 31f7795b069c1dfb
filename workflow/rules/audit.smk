"""Models of other programs, and the audit of the best models.

Needs  the file of an external model; ids.npy, splits.json, vocab.json and clean.txt of the corpus; metrics.json of the
       runs, with the models of the audited families
Makes  results/{experiment}/{corpus}/{unit}/external/{model}/card.yaml, scores.npz, metrics.json, and
       results/{experiment}/{corpus}/{unit}/audit.csv
"""

# the families whose best model is audited; n-grams and mixtures with n-grams only if they are kept
AUDITED = ("ngram", "rnn", "mixture", "external") if config["keep_ngrams"] else ("rnn", "external")


rule score_external:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
        files=external_files,
    output:
        card="results/{experiment}/{corpus}/{unit}/external/{model}/card.yaml",
        scores="results/{experiment}/{corpus}/{unit}/external/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/external/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/{unit}/external/{model}/score.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/external/{model}/score.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000 + 1024 * config["external"]["memory"], 20),
        runtime=by_size(math.ceil(config["external"]["seconds"] / 60)),
        # not a parameter, whose change would be a reason to score again
        limits=EXTERNAL_LIMITS,
    params:
        script=script("score_external"),
        code=code_of("score_external"),
        run=run_of("external"),
    message:
        "Scoring {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --files {input.files:q}"
        " {resources.limits}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule audit_models:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json"),
        cards=files_of("card.yaml", AUDITED),
        models=files_of("model.npz", ["ngram"] if config["keep_ngrams"] else []),
        weights=files_of("weights.safetensors", ["rnn"]),
        files=all_external_files,
        text="results/corpora/{corpus}/clean.txt",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        audit="results/{experiment}/{corpus}/{unit}/audit.csv",
    log:
        "results/{experiment}/{corpus}/{unit}/audit_models.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/audit_models.benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=by_size(2000 + 1024 * config["external"]["memory"] * bool(config["external"]["models"]), 10),
        runtime=by_size(60),
        gpu=gpus("rnn"),
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
        limits=EXTERNAL_LIMITS,
    params:
        script=script("audit_models"),
        code=code_of("audit_models"),
        families=as_arguments({"families": AUDITED}),
    message:
        "Auditing the best models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " {params.families}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " {resources.limits}"
        " --output {output.audit:q}"
        " 2>&1 | tee -i {log:q}"
