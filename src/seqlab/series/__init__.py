"""Forecasting of series: reading and splits, models, roll-out, scores and runs.

Read `series` and `splits` (with `reading` for files of the user), `network`, `task` and `autoregression` (the models),
`rollout`, `scores`, `record` (files of a run) and `tables`.
"""
