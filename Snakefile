"""seqlab: how well do n-grams and recurrent networks predict a text?

snakemake --cores 2                                              the default experiment, without a network
snakemake --cores 2 --configfile config/time_machine.yaml        the course module's experiment
snakemake --cores 2 --config corpus=path/to/my.txt               the default sweep on a text of yours
snakemake --cores 2 --configfile config/forecast.yaml            sequences of numbers, forecast
"""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/functions/project.smk"


configfile: f"{BASE}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/functions/paths.smk"
include: "workflow/functions/forecasts.smk"
include: "workflow/functions/settings.smk"
include: "workflow/functions/resources.smk"
include: "workflow/functions/invocation.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/cards.smk"
include: "workflow/rules/counts.smk"
include: "workflow/rules/ngram.smk"
include: "workflow/rules/rnn.smk"
include: "workflow/rules/floors.smk"
include: "workflow/rules/verdicts.smk"
include: "workflow/rules/memory.smk"
include: "workflow/rules/horizon.smk"
include: "workflow/rules/summary.smk"
include: "workflow/rules/forecast.smk"
include: "workflow/rules/forecast_figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/verify.smk"


resource_scopes:
    gpu="local",  # a limit on this machine's GPUs must not hold back a cluster


onstart:
    follow_training()


onsuccess:
    cancel_timers()


onerror:
    cancel_timers()
    repeat_errors(log)


rule all:
    default_target: True
    input:
        all_metrics(),
        all_arpa(),
        all_figures(),
        all_forecast_metrics(),
        all_forecast_figures(),
        "results/report.html",
        "results/tracking.json",
