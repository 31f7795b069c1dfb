"""The list of runs, tables, figures and the report of the experiment.

Needs  metrics.json and scores.npz of every run, and the other files that tables, figures and the report read
Makes  results/{experiment}/runs.json, results/{experiment}/{corpus}/{unit}/summary.csv, models.csv, figures/*.svg,
       results/{experiment}/report.html
"""


localrules:
    plan_runs,
    list_runs,
    summarize,
    summarize_series,
    plot_figure,
    write_report,


rule plan_runs:
    input:
        template=os.path.relpath(BASE / "workflow/templates/plan.json"),
    output:
        "results/{experiment}/.plan.json",
    log:
        "results/{experiment}/plan.log",  # stays empty: Snakemake itself fills the template
    priority: 2  # first of all: it says whose results these are
    params:
        content=lambda wildcards: json.dumps(
            {
                "name": EXPERIMENT,
                "configuration": CONFIGURATION,
                "command": command_again(),
                "prepared": {f"{place.corpus}/{place.unit}": folder for place, folder in PREPARED.items()},
                "runs": [run[1:] for run in RUNS],
                "answers": [f"{place.corpus}/{place.unit}" for place in ANSWERS],
                "audited": [f"{place.corpus}/{place.unit}" for place in AUDITED_TEXTS],
                "published": config["published"]["title"] if PUBLISHED else "",
                "note": PRESET.note if TEXTS else "",  # a preset is of networks on texts
            }
        ),
    message:
        "Planning the runs of {wildcards.experiment}"
    template_engine:
        "jinja2"


rule list_runs:
    input:
        plan="results/{experiment}/.plan.json",  # a command that named thousands of runs would be too long
    output:
        runs="results/{experiment}/runs.json",
    log:
        "results/{experiment}/runs.log",
    priority: 2
    conda:
        "../../environment.yml"
    params:
        script=script("list_runs"),
        code=code_of("list_runs"),
    message:
        "Listing the runs of {wildcards.experiment}"
    shell:
        "python {params.script:q}" " --plan {input.plan:q}" " --output {output.runs:q}" " > {log:q} 2>&1"


rule summarize:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json"),
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
        unknown=prepared("unknown.json"),
    output:
        summary="results/{experiment}/{corpus}/{unit}/summary.csv",
        models=report(
            "results/{experiment}/{corpus}/{unit}/models.csv",
            caption="../report/summary.rst",
            category="{corpus} by {unit}",
        ),
    log:
        "results/{experiment}/{corpus}/{unit}/summarize.log",
    conda:
        "../../environment.yml"
    params:
        script=script("summarize"),
        code=code_of("summarize"),
    message:
        "Summarising {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --unknown {input.unknown:q}"
        " --summary {output.summary:q}"
        " --models {output.models:q}"
        " > {log:q} 2>&1"


rule summarize_series:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        metrics=files_of("metrics.json", unit=SERIES),
    output:
        summary="results/{experiment}/{corpus}/series/summary.csv",
        models=report(
            "results/{experiment}/{corpus}/series/models.csv",
            caption="../report/forecast_models.rst",
            category="forecast of {corpus}",
        ),
    log:
        "results/{experiment}/{corpus}/series/summarize.log",
    conda:
        "../../environment.yml"
    params:
        script=script("summarize_series"),
        code=code_of("summarize_series"),
    message:
        "Summarising the forecasts of {wildcards.corpus}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit series"
        " --summary {output.summary:q}"
        " --models {output.models:q}"
        " > {log:q} 2>&1"


rule plot_figure:
    input:
        experiment=ancient("results/{experiment}/runs.json"),
        files=figure_inputs,
    output:
        figure=report(
            "results/{experiment}/{corpus}/{unit}/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="{corpus} by {unit}",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{experiment}/{corpus}/{unit}/figures/{figure}.log",
    wildcard_constraints:
        unit="|".join((*UNITS, SERIES)),
        figure="[a-z_]+",
    conda:
        "../../environment.yml"
    params:
        script=script("plot_figure"),
        code=lambda wildcards: digest_of("plot_figure", figure_of(wildcards).module),
        caption=lambda wildcards: figure_of(wildcards).caption,
    message:
        "Drawing {wildcards.figure} of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --figure {wildcards.figure}"
        " --output {output.figure:q}"
        " > {log:q} 2>&1"


rule write_report:
    input:
        experiment="results/{experiment}/runs.json",
        files=lambda wildcards: contents.list_report_files(PREPARED, RUNS, PUBLISHED, ANSWERS, AUDITED_TEXTS),
    output:
        page=report("results/{experiment}/report.html", caption="../report/report.rst", category="report"),
    log:
        "results/{experiment}/report.log",
    conda:
        "../../environment.yml"
    params:
        script=script("write_report"),
        code=code_of("write_report"),
        templates=digest_of_files(*map("src/seqlab/report/{}".format, ("*.html", "*.css", "*.js", "errata.csv"))),
    message:
        "Writing {output.page}"
    shell:
        "python {params.script:q} --experiment {input.experiment:q} --output {output.page:q} > {log:q} 2>&1"
