"""Figures of every series that is forecast.

Needs  forecasts.npz, models.csv, orders.csv
Makes  results/forecast/{series}/figures/*.svg
"""


localrules:
    plot_forecast_paths,
    plot_error_by_horizon,
    plot_residual_autocorrelation,
    plot_markov_check,


rule plot_forecast_paths:
    input:
        table="results/forecast/{series}/series.csv",
        description="results/forecast/{series}/series.json",
        forecasts=forecasts_of,
        script=script("plot_forecast_paths"),
        library=library("plot_forecast_paths"),
    output:
        figure=report(
            "results/forecast/{series}/figures/forecast_paths.svg",
            caption="../report/forecast_paths.rst",
            category="forecast of {series}",
            labels={"figure": "forecast paths"},
        ),
    log:
        "results/forecast/{series}/figures/forecast_paths.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the forecast paths of {wildcards.series}"
    shell:
        "python {input.script:q}"
        " {input.forecasts:q}"
        " --table {input.table:q}"
        " --description {input.description:q}"
        " --output {output.figure:q}"
        " > {log:q} 2>&1"


rule plot_error_by_horizon:
    input:
        models="results/forecast/{series}/models.csv",
        description="results/forecast/{series}/series.json",
        script=script("plot_error_by_horizon"),
        library=library("plot_error_by_horizon"),
    output:
        figure=report(
            "results/forecast/{series}/figures/error_by_horizon.svg",
            caption="../report/error_by_horizon.rst",
            category="forecast of {series}",
            labels={"figure": "error by horizon"},
        ),
    log:
        "results/forecast/{series}/figures/error_by_horizon.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the error by horizon of {wildcards.series}"
    shell:
        "python {input.script:q}"
        " --models {input.models:q}"
        " --description {input.description:q}"
        " --output {output.figure:q}"
        " > {log:q} 2>&1"


rule plot_residual_autocorrelation:
    input:
        forecasts=forecasts_of,
        script=script("plot_residual_autocorrelation"),
        library=library("plot_residual_autocorrelation"),
    output:
        figure=report(
            "results/forecast/{series}/figures/residual_autocorrelation.svg",
            caption="../report/residual_autocorrelation.rst",
            category="forecast of {series}",
            labels={"figure": "residual autocorrelation"},
        ),
    log:
        "results/forecast/{series}/figures/residual_autocorrelation.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the residual autocorrelation of {wildcards.series}"
    shell:
        "python {input.script:q}" " {input.forecasts:q}" " --output {output.figure:q}" " > {log:q} 2>&1"


rule plot_markov_check:
    input:
        orders="results/forecast/{series}/autoregression/orders.csv",
        script=script("plot_markov_check"),
        library=library("plot_markov_check"),
    output:
        figure=report(
            "results/forecast/{series}/figures/markov_check.svg",
            caption="../report/markov_check.rst",
            category="forecast of {series}",
            labels={"figure": "Markov check"},
        ),
    log:
        "results/forecast/{series}/figures/markov_check.log",
    conda:
        "../../environment.yml"
    message:
        "Drawing the Markov check of {wildcards.series}"
    shell:
        "python {input.script:q}" " --orders {input.orders:q}" " --output {output.figure:q}" " > {log:q} 2>&1"
