"""N-gram language models: counts, smoothings, pruning, scoring and ARPA files.

Read `tally` and `counts`, `model`, `evidence` and the smoothings (`additive`, `interpolation`, `discounting`), then
`pruning`, `shards` (texts larger than memory), `ahead` and `arpa`. Models with the words of a text are in `language`,
which rests on `words`, `training`, `packed` (the model file), `compiled` and `stepping`; `mixing` interpolates them.
"""
