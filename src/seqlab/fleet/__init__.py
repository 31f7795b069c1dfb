"""Fleets: networks with any recurrence, all seeds of a run trained together as if each were alone.

Read `stack` (the layers), `cells` (one file each), `task` (what a fleet learns), `objective`, `batches`, `optimisers`,
`dropout`, `fleet` (its state), `training` and `checkpoint`; `accelerated` has faster ways of the same. The packages rnn
and series say what a network reads and what its outputs mean.
"""
