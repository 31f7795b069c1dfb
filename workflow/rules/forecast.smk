"""Sequences of numbers: series, and models that forecast them.

Needs  config/series.yaml, or the CSV file of a user
Makes  results/forecast/{series}/series.csv, series.json, then for every model card.yaml, its files, forecasts.npz and metrics.json, and
       results/forecast/{series}/runs.txt, summary.csv, models.csv
"""


localrules:
    build_series,
    write_forecast_card,
    summarize_forecasts,


rule build_series:
    input:
        file=file_of,
        script=script("build_series"),
        library=library("build_series"),
    output:
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
    log:
        "results/forecast/{series}/build_series.log",
    conda:
        "../../environment.yml"
    params:
        definition=series_definition_of,
        shares=json.dumps(config["forecast"]["split"]),
        needs=json.dumps(longest_needs(config["forecast"])),
    message:
        "Building the series {wildcards.series}"
    shell:
        "python {input.script:q}"
        " --name {wildcards.series:q}"
        " --definition {params.definition:q}"
        " --file {input.file:q}"
        " --shares {params.shares:q}"
        " --needs {params.needs:q}"
        " --table {output.table:q}"
        " --description {output.description:q}"
        " > {log:q} 2>&1"


rule write_forecast_card:
    input:
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        script=script("write_forecast_card"),
        library=library("write_forecast_card"),
    output:
        card="results/forecast/{series}/{model}/card.yaml",
    log:
        "results/forecast/{series}/{model}/card.log",
    priority: 1  # all series before any training, so that what can be refused is refused at once
    conda:
        "../../environment.yml"
    params:
        run=forecast_run_of,
    message:
        "Writing the card of {wildcards.model} for {wildcards.series}"
    shell:
        "python {input.script:q}"
        " --series {wildcards.series:q}"
        " --model {wildcards.model}"
        " --run {params.run:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --output {output.card:q}"
        " > {log:q} 2>&1"


rule train_autoregression:
    input:
        card="results/forecast/{series}/autoregression/card.yaml",
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        script=script("train_autoregression"),
        library=library("train_autoregression"),
    output:
        model="results/forecast/{series}/autoregression/model.json",
        orders="results/forecast/{series}/autoregression/orders.csv",
        training="results/forecast/{series}/autoregression/training.json",
    log:
        "results/forecast/{series}/autoregression/train.log",
    benchmark:
        "results/forecast/{series}/autoregression/train.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(700),
        runtime=by_size(10),
    message:
        "Fitting autoregressions to {wildcards.series}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --folder $(dirname {output.model:q})"
        " > {log:q} 2>&1"


rule train_forecaster:
    input:
        card="results/forecast/{series}/{model}/card.yaml",
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        window=window_of,
        script=script("train_forecaster"),
        library=library("train_forecaster"),
    output:
        weights="results/forecast/{series}/{model}/weights.safetensors",
        network="results/forecast/{series}/{model}/network.json",
        training="results/forecast/{series}/{model}/training.json",
        history="results/forecast/{series}/{model}/history.csv",
    log:
        "results/forecast/{series}/{model}/train.log",
    benchmark:
        "results/forecast/{series}/{model}/train.benchmark.tsv"
    wildcard_constraints:
        model=FORECASTERS,
    conda:
        "../../environment.yml"
    threads: config["forecast"]["threads"]
    resources:
        mem_mb=by_size(1500),
        runtime=by_size(60),
    message:
        "Training {wildcards.model} on {wildcards.series}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --window {input.window:q}"
        " --threads {threads}"
        " --folder $(dirname {output.weights:q})"
        " > {log:q} 2>&1"


rule score_persistence:
    input:
        card="results/forecast/{series}/{model}/card.yaml",
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        script=script("score_persistence"),
        library=library("score_persistence"),
    output:
        forecasts="results/forecast/{series}/{model}/forecasts.npz",
        metrics="results/forecast/{series}/{model}/metrics.json",
    log:
        "results/forecast/{series}/{model}/score.log",
    benchmark:
        "results/forecast/{series}/{model}/score.benchmark.tsv"
    wildcard_constraints:
        model="(seasonal-)?persistence",
    conda:
        "../../environment.yml"
    threads: config["forecast"]["threads"]
    resources:
        mem_mb=by_size(3000),
        runtime=by_size(60),
    params:
        scoring=json.dumps({name: config["forecast"][name] for name in ("horizons", "trajectories")}),
    message:
        "Forecasting {wildcards.series} with {wildcards.model}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --scoring {params.scoring:q}"
        " --threads {threads}"
        " --folder $(dirname {output.metrics:q})"
        " > {log:q} 2>&1"


use rule score_persistence as score_autoregression with:
    input:
        card="results/forecast/{series}/{model}/card.yaml",
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        model="results/forecast/{series}/{model}/model.json",
        training="results/forecast/{series}/{model}/training.json",
        script=script("score_autoregression"),
        library=library("score_autoregression"),
    wildcard_constraints:
        model="autoregression",


use rule score_persistence as score_forecaster with:
    input:
        card="results/forecast/{series}/{model}/card.yaml",
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        weights="results/forecast/{series}/{model}/weights.safetensors",
        network="results/forecast/{series}/{model}/network.json",
        training="results/forecast/{series}/{model}/training.json",
        script=script("score_forecaster"),
        library=library("score_forecaster"),
    wildcard_constraints:
        model=FORECASTERS,


rule list_forecasts:
    input:
        template=os.path.relpath(BASE / "workflow/templates/runs.txt"),
    output:
        "results/forecast/{series}/runs.txt",
    log:
        "results/forecast/{series}/runs.log",  # stays empty: Snakemake itself fills the template
    params:
        metrics=forecast_metrics_of,
    message:
        "Listing the models of {wildcards.series}"
    template_engine:
        "jinja2"


rule summarize_forecasts:
    input:
        metrics=forecast_metrics_of,
        forecasts=forecasts_of,
        script=script("summarize_forecasts"),
        library=library("summarize_forecasts"),
    output:
        summary="results/forecast/{series}/summary.csv",
        models=report(
            "results/forecast/{series}/models.csv",
            caption="../report/forecast_models.rst",
            category="forecast of {series}",
        ),
    log:
        "results/forecast/{series}/summarize.log",
    conda:
        "../../environment.yml"
    message:
        "Summarising the forecasts of {wildcards.series}"
    shell:
        "python {input.script:q}"
        " {input.metrics:q}"
        " --summary {output.summary:q}"
        " --models {output.models:q}"
        " > {log:q} 2>&1"
