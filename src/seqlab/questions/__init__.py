"""Questions to the ledger and the models.

Every module has a dataclass for a row of its answer and a function `answer(...)`: `verdicts` (which model is better),
`breakdown` (on which symbols), `memory` (how far back), `horizon` (how far ahead), `gaps` (what it still knows of the
state), `protocols` (scored in other ways), `reproduction` (compared with printed values) and `spelling` (the cost of
unknown words). `subject` holds the runs and the text that a question is about.
"""
