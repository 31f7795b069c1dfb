"""One table of all models, and one with their means and spreads.

Needs  metrics.json of every run of a corpus and unit
Makes  summary.csv, models.csv
"""


localrules:
    summarize,


rule summarize:
    input:
        metrics=metrics_of,
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
    message:
        "Summarising {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {input.metrics:q}"
        " --summary {output.summary:q}"
        " --models {output.models:q}"
        " > {log:q} 2>&1"
