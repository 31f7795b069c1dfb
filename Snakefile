"""seqlab: how well do n-grams and recurrent networks predict a text?

snakemake --cores 2                                              the default experiment, without a network
snakemake --cores 2 --configfile config/time_machine.yaml        the course module's experiment
snakemake --cores 2 --config corpus=path/to/my.txt               the default sweep on a text of yours
snakemake --cores 2 --configfile config/forecast.yaml            sequences of numbers, forecast
"""


include: "workflow/Snakefile"


# an included file sets no default target; the Snakefile itself is where those look who use this workflow as a module
workflow.default_target = "all"
