"""What the other models are held against: general compressors, and the true source of a generated text.

Needs  card.yaml, clean.txt, splits.json
Makes  scores.npz, metrics.json and for a source sample.txt
"""


rule score_compressor:
    input:
        card="results/{corpus}/{unit}/compressor/{model}/card.yaml",
        text="results/{corpus}/clean.txt",
        splits="results/{corpus}/{unit}/splits.json",
        script=script("score_compressor"),
        library=library("score_compressor"),
    output:
        scores="results/{corpus}/{unit}/compressor/{model}/scores.npz",
        metrics="results/{corpus}/{unit}/compressor/{model}/metrics.json",
    log:
        "results/{corpus}/{unit}/compressor/{model}/score.log",
    benchmark:
        "results/{corpus}/{unit}/compressor/{model}/score.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 20),
        runtime=by_size(15, 0.2),
    message:
        "Scoring {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --text {input.text:q}"
        " --splits {input.splits:q}"
        " --scores {output.scores:q}"
        " --metrics {output.metrics:q}"
        " > {log:q} 2>&1"


rule score_source:
    input:
        card="results/{corpus}/{unit}/source/{model}/card.yaml",
        text="results/{corpus}/clean.txt",
        splits="results/{corpus}/{unit}/splits.json",
        script=script("score_source"),
        library=library("score_source"),
    output:
        scores="results/{corpus}/{unit}/source/{model}/scores.npz",
        metrics="results/{corpus}/{unit}/source/{model}/metrics.json",
        sample="results/{corpus}/{unit}/source/{model}/sample.txt",
    log:
        "results/{corpus}/{unit}/source/{model}/score.log",
    benchmark:
        "results/{corpus}/{unit}/source/{model}/score.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.2),
    params:
        symbols=sample_symbols_of,
    message:
        "Scoring {wildcards.corpus} with its own source"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --text {input.text:q}"
        " --splits {input.splits:q}"
        " --symbols {params.symbols}"
        " --scores {output.scores:q}"
        " --metrics {output.metrics:q}"
        " --sample {output.sample:q}"
        " > {log:q} 2>&1"
