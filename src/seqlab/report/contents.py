"""The figures of an experiment in the order of the report: the name of the file in figures/, a title and a caption.

The Snakefile reads this module, so it loads nothing; rule and program of a figure are named plot_ and its name.
"""

FIGURES = {  # of a text
    "perplexity_by_order": (
        "Perplexity by order",
        "Test perplexity of each smoothing against the order of its n-grams, with the best network of each cell as a "
        "band of one standard deviation.",
    ),
    "layers_by_hidden": (
        "Layers and hidden units",
        "Test perplexity of every network, mean and standard deviation over its seeds.",
    ),
    "learning_curves": (
        "Learning curves",
        "Valid perplexity after each epoch: the mean over seeds, and a band from the lowest to the highest.",
    ),
    "memory": (
        "Memory",
        "Bits per symbol of test against the symbols of context: n-grams by order, and the best network with its state "
        "cut to the last symbols. Where a line goes on falling, what lies further back is used.",
    ),
    "horizon": (
        "Horizon",
        "Bits of the symbol that lies so many steps ahead, given all before: the known source and the best n-gram "
        "exactly, the best network by drawing the ways there. A level line knows only how frequent symbols are.",
    ),
    "who_knows_what": (
        "Who knows what",
        "Mean bits of the best model of each family on groups of test symbols, and the share of symbols in each group.",
    ),
    "cost": (
        "Parameters",
        "Test bits per character against parameters and against seconds of training; the names are those of the best "
        "on valid, and nothing of its cost was found below the grey line.",
    ),
}

SERIES_FIGURES = {  # of a series
    "forecast_paths": (
        "Forecast paths",
        "The end of test, in grey, and what each model forecast of it: a line is one horizon, and its value at a time "
        "was forecast so many steps before, from the first seed. Dotted is the mean of the trajectories at the "
        "longest horizon. Where a model no longer knows better, that falls to the mean.",
    ),
    "error_by_horizon": (
        "Error by horizon",
        "Test RMSE and CRPS against the steps ahead, with 95 % intervals over origins and seeds, and the standard "
        "deviation of the forecasts (of means of trajectories, where a model has them) by that of the values: 0 is a "
        "forecast that has collapsed to a constant.",
    ),
    "residual_autocorrelation": (
        "Residual autocorrelation",
        "Autocorrelation of the errors one step ahead on test. Outside the band, which holds 95 % of those of white "
        "noise, earlier errors tell of later ones.",
    ),
    "markov_check": (
        "Markov check",
        "Partial autocorrelation on train: beyond the order of a linear Markov model it stays within the band. And the "
        "RMSE on valid of autoregressions by order; more lags than the lower mark are not told from chance.",
    ),
}
