"""Training of networks with any recurrence: one fleet holds a replica for each seed of a run.

Read `stack` (the layers), `cells` (one file each), `task` (data and loss), `objective`, `batches`, `optimisers`,
`dropout`, `fleet` (the state of a training), `training`, `fit` and `checkpoint`; `accelerated` has faster
implementations. The packages rnn and series define the inputs and outputs of a network.
"""
