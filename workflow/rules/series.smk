"""Series of numbers, and models that forecast them.

Needs  config/series.yaml, or the CSV file of a user
Makes  results/corpora/{series}/{prepared}/series.csv, series.json, source.json, and for every model
       results/{experiment}/{series}/series/forecast/{model}/card.yaml, its files, forecasts.npz, metrics.json
"""

SCORING = json.dumps({name: config["forecast"][name] for name in ("horizons", "trajectories")})
NETWORKS = sorted({run.model for run in RUNS if run.family == FORECAST and "cell" in RUNS[run]["settings"]})


localrules:
    build_series,


rule build_series:
    input:
        file=series_file,
    output:
        table="results/corpora/{corpus}/{prepared}/series.csv",
        description="results/corpora/{corpus}/{prepared}/series.json",
        source="results/corpora/{corpus}/{prepared}/source.json",
    log:
        "results/corpora/{corpus}/{prepared}/build_series.log",
    wildcard_constraints:
        prepared=f"{SERIES}(-[0-9a-f]+)?",
    priority: 1  # before any training, so that an unusable series fails early
    conda:
        "../../environment.yml"
    params:
        script=script("build_series"),
        code=code_of("build_series"),
        definition=series_block,
        shares=json.dumps(config["forecast"]["split"]),
        needs=json.dumps(longest_needs(config["forecast"])),
    message:
        "Building the series {wildcards.corpus}"
    shell:
        "python {params.script:q}"
        " --name {wildcards.corpus:q}"
        " --definition {params.definition:q}"
        " --file {input.file:q}"
        " --shares {params.shares:q}"
        " --needs {params.needs:q}"
        " --folder $(dirname {output.table:q})"
        " > {log:q} 2>&1"


rule score_persistence:
    input:
        table=prepared("series.csv", SERIES),
        description=prepared("series.json", SERIES),
    output:
        card="results/{experiment}/{corpus}/series/forecast/{model}/card.yaml",
        forecasts="results/{experiment}/{corpus}/series/forecast/{model}/forecasts.npz",
        metrics="results/{experiment}/{corpus}/series/forecast/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/series/forecast/{model}/score.log",
    benchmark:
        "results/{experiment}/{corpus}/series/forecast/{model}/score.benchmark.tsv"
    wildcard_constraints:
        model="(seasonal-)?persistence",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(3000),
        runtime=by_size(60),
    params:
        script=script("score_persistence"),
        code=code_of("score_persistence"),
        run=run_of(FORECAST, SERIES),
        scoring=SCORING,
    message:
        "Forecasting {wildcards.corpus} with {wildcards.model}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --scoring {params.scoring:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule train_autoregression:
    input:
        table=prepared("series.csv", SERIES),
        description=prepared("series.json", SERIES),
    output:
        card="results/{experiment}/{corpus}/series/forecast/{model}/card.yaml",
        model="results/{experiment}/{corpus}/series/forecast/{model}/model.json",
        orders="results/{experiment}/{corpus}/series/forecast/{model}/orders.csv",
        training="results/{experiment}/{corpus}/series/forecast/{model}/training.json",
        forecasts="results/{experiment}/{corpus}/series/forecast/{model}/forecasts.npz",
        metrics="results/{experiment}/{corpus}/series/forecast/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/series/forecast/{model}/train.log",
    benchmark:
        "results/{experiment}/{corpus}/series/forecast/{model}/train.benchmark.tsv"
    wildcard_constraints:
        model="autoregression",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(3000),
        runtime=by_size(60),
    params:
        script=script("train_autoregression"),
        code=code_of("train_autoregression"),
        run=run_of(FORECAST, SERIES),
        scoring=SCORING,
    message:
        "Fitting autoregressions to {wildcards.corpus}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --scoring {params.scoring:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule train_forecaster:
    input:
        table=prepared("series.csv", SERIES),
        description=prepared("series.json", SERIES),
        window=window_of,
    output:
        card="results/{experiment}/{corpus}/series/forecast/{model}/card.yaml",
        weights="results/{experiment}/{corpus}/series/forecast/{model}/weights.safetensors",
        network="results/{experiment}/{corpus}/series/forecast/{model}/network.json",
        training="results/{experiment}/{corpus}/series/forecast/{model}/training.json",
        history="results/{experiment}/{corpus}/series/forecast/{model}/history.csv",
        forecasts="results/{experiment}/{corpus}/series/forecast/{model}/forecasts.npz",
        metrics="results/{experiment}/{corpus}/series/forecast/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/series/forecast/{model}/train.log",
    benchmark:
        "results/{experiment}/{corpus}/series/forecast/{model}/train.benchmark.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, NETWORKS)) or "(?!)",
    conda:
        "../../environment.yml"
    threads: config["forecast"]["threads"]
    resources:
        mem_mb=by_size(3000),
        runtime=by_size(60),  # the next attempt continues the training
        gpu=gpus("forecast"),
        device=config["forecast"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        script=script("train_forecaster"),
        code=code_of("train_forecaster"),
        run=run_of(FORECAST, SERIES),
        scoring=SCORING,
    message:
        "Training {wildcards.model} on {wildcards.corpus}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --window {input.window:q}"
        " --scoring {params.scoring:q}"
        " --code {params.code}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --folder $(dirname {output.card:q})"
        " 2>&1 | tee -i {log:q}"
