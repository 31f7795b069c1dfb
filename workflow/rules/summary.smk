"""One table of all models, and one with their means and spreads; what spelling unknown symbols out adds to them.

Needs  clean.txt, vocab.json, splits.json, metrics.json of every run of a corpus and unit
Makes  spelling.json, summary.csv, models.csv
"""


localrules:
    spell_unknowns,
    summarize,


rule spell_unknowns:
    input:
        text="results/{corpus}/clean.txt",
        vocab="results/{corpus}/{unit}/vocab.json",
        splits="results/{corpus}/{unit}/splits.json",
        script=script("spell_unknowns"),
        library=library("spell_unknowns"),
    output:
        spelling="results/{corpus}/{unit}/spelling.json",
    log:
        "results/{corpus}/{unit}/spell_unknowns.log",
    conda:
        "../../environment.yml"
    params:
        split=json.dumps(config["split"]),
    message:
        "Spelling the unknown symbols of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --text {input.text:q}"
        " --vocab {input.vocab:q}"
        " --splits {input.splits:q}"
        " --split {params.split:q}"
        " --output {output.spelling:q}"
        " > {log:q} 2>&1"


rule summarize:
    input:
        metrics=metrics_of,
        scores=lambda wildcards: scores_beside(metrics_of(wildcards)),
        lists=lists_of,
        spelling="results/{corpus}/{unit}/spelling.json",
        script=script("summarize"),
        library=library("summarize"),
    output:
        summary="results/{corpus}/{unit}/summary.csv",
        models=report(
            "results/{corpus}/{unit}/models.csv", caption="../report/summary.rst", category="{corpus} by {unit}"
        ),
    log:
        "results/{corpus}/{unit}/summarize.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
    message:
        "Summarising {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {params.runs:q}"
        " --spelling {input.spelling:q}"
        " --summary {output.summary:q}"
        " --models {output.models:q}"
        " > {log:q} 2>&1"
