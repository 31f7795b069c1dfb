"""Figures for every corpus and unit, and one report of everything.

Needs  models.csv, history.csv, metrics.json, card.yaml, sample.txt
Makes  figures/*.svg, results/report.html
"""


localrules:
    plot_perplexity_by_order,
    plot_layers_by_hidden,
    plot_learning_curves,
    plot_cost,
    plot_who_knows_what,
    plot_memory,
    plot_horizon,
    write_report,


rule plot_perplexity_by_order:
    input:
        models="results/{corpus}/{unit}/models.csv",
        source=source_of,
        script=script("plot_perplexity_by_order"),
        library=library("plot_perplexity_by_order"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/perplexity_by_order.svg",
            caption="../report/perplexity_by_order.rst",
            category="{corpus} by {unit}",
            labels={"figure": "perplexity by order"},
        ),
    log:
        "results/{corpus}/{unit}/figures/perplexity_by_order.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing perplexity by order of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --models {input.models:q}"
        " --metrics {input.source:q}"
        " --output {output.figure:q}"
        " > {log:q} 2>&1"


rule plot_layers_by_hidden:
    input:
        models="results/{corpus}/{unit}/models.csv",
        script=script("plot_layers_by_hidden"),
        library=library("plot_layers_by_hidden"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/layers_by_hidden.svg",
            caption="../report/layers_by_hidden.rst",
            category="{corpus} by {unit}",
            labels={"figure": "layers by hidden"},
        ),
    log:
        "results/{corpus}/{unit}/figures/layers_by_hidden.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing layers by hidden of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}" " --models {input.models:q}" " --output {output.figure:q}" " > {log:q} 2>&1"


rule plot_learning_curves:
    input:
        histories=histories_of,
        lists=lambda wildcards: lists_of(wildcards, ("rnn",)),
        script=script("plot_learning_curves"),
        library=library("plot_learning_curves"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/learning_curves.svg",
            caption="../report/learning_curves.rst",
            category="{corpus} by {unit}",
            labels={"figure": "learning curves"},
        ),
    log:
        "results/{corpus}/{unit}/figures/learning_curves.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
    message:
        "Drawing learning curves of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}" " {params.runs:q}" " --output {output.figure:q}" " > {log:q} 2>&1"


rule plot_cost:
    input:
        models="results/{corpus}/{unit}/models.csv",
        source=source_of,
        script=script("plot_cost"),
        library=library("plot_cost"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/cost.svg",
            caption="../report/cost.rst",
            category="{corpus} by {unit}",
            labels={"figure": "cost"},
        ),
    log:
        "results/{corpus}/{unit}/figures/cost.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the cost of models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --models {input.models:q}"
        " --metrics {input.source:q}"
        " --output {output.figure:q}"
        " > {log:q} 2>&1"


rule plot_who_knows_what:
    input:
        breakdown="results/{corpus}/{unit}/breakdown.csv",
        script=script("plot_who_knows_what"),
        library=library("plot_who_knows_what"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/who_knows_what.svg",
            caption="../report/who_knows_what.rst",
            category="{corpus} by {unit}",
            labels={"figure": "who knows what"},
        ),
    log:
        "results/{corpus}/{unit}/figures/who_knows_what.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing who knows what of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}" " --breakdown {input.breakdown:q}" " --output {output.figure:q}" " > {log:q} 2>&1"


rule plot_memory:
    input:
        memory="results/{corpus}/{unit}/memory.csv",
        script=script("plot_memory"),
        library=library("plot_memory"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/memory.svg",
            caption="../report/memory.rst",
            category="{corpus} by {unit}",
            labels={"figure": "memory"},
        ),
    log:
        "results/{corpus}/{unit}/figures/memory.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the memory of models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}" " --memory {input.memory:q}" " --output {output.figure:q}" " > {log:q} 2>&1"


rule plot_horizon:
    input:
        horizon="results/{corpus}/{unit}/horizon.csv",
        script=script("plot_horizon"),
        library=library("plot_horizon"),
    output:
        figure=report(
            "results/{corpus}/{unit}/figures/horizon.svg",
            caption="../report/horizon.rst",
            category="{corpus} by {unit}",
            labels={"figure": "horizon"},
        ),
    log:
        "results/{corpus}/{unit}/figures/horizon.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the horizon of models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}" " --horizon {input.horizon:q}" " --output {output.figure:q}" " > {log:q} 2>&1"


rule write_report:
    input:
        tables=all_summaries(),
        figures=all_figures(),
        metrics=all_metrics(),
        forecasts=[*all_forecast_metrics(), *all_forecast_tables(), *all_forecast_figures()],
        templates=sorted(os.path.relpath(file) for file in (BASE / "src/seqlab/report").glob("*.html")),
        errata=os.path.relpath(BASE / "src/seqlab/report/errata.csv"),
        script=script("write_report"),
        library=library("write_report"),
    output:
        page=report("results/report.html", caption="../report/report.rst", category="report"),
    log:
        "results/report.log",
    conda:
        "../../environment.yml"
    params:
        experiments=[f"{corpus}/{unit}" for corpus, unit in RUNS],
        series=list(FORECASTS),
    message:
        "Writing results/report.html"
    shell:
        "python {input.script:q}"
        " --results results"
        " --experiment {params.experiments:q}"
        " --forecast {params.series:q}"
        " --output {output.page:q}"
        " > {log:q} 2>&1"
