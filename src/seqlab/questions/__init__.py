"""Questions that are asked of the ledger and of the models.

A module for each, with a dataclass for a row of its answer and `answer(...)`: `verdicts` (which model is better),
`breakdown` (on which symbols), `memory` (how far back), `horizon` (how far ahead), `protocols` (scored as others score)
and `spelling` (the cost of unknown words). `subject` holds the runs and the text that they are about.
"""
