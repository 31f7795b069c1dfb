"""Baselines: general compressors, and the known source of a generated text.

Needs  splits.json, bytes.npz of the prepared corpus, clean.txt
Makes  results/{experiment}/{corpus}/{unit}/{compressor,source}/{model}/card.yaml, scores.npz, metrics.json and for a
       source sample.txt
"""


rule score_compressor:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
        bytes=prepared("bytes.npz"),
    output:
        card="results/{experiment}/{corpus}/{unit}/compressor/{model}/card.yaml",
        scores="results/{experiment}/{corpus}/{unit}/compressor/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/compressor/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/{unit}/compressor/{model}/score.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/compressor/{model}/score.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 20),
        runtime=by_size(15, 0.2),
    params:
        script=script("score_compressor"),
        code=code_of("score_compressor"),
        run=run_of("compressor"),
    message:
        "Scoring {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --bytes {input.bytes:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule score_source:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",
        text="results/corpora/{corpus}/clean.txt",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        card="results/{experiment}/{corpus}/{unit}/source/{model}/card.yaml",
        scores="results/{experiment}/{corpus}/{unit}/source/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/source/{model}/metrics.json",
        sample="results/{experiment}/{corpus}/{unit}/source/{model}/sample.txt",
    log:
        "results/{experiment}/{corpus}/{unit}/source/{model}/score.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/source/{model}/score.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.2),
    params:
        script=script("score_source"),
        code=code_of("score_source"),
        run=run_of("source"),
        symbols=lambda wildcards: config["sample"]["symbols"][wildcards.unit],
    message:
        "Scoring {wildcards.corpus} with its known source"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --text {input.text:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --symbols {params.symbols}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"
