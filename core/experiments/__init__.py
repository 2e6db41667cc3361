"""Experiments: a grid of studies held against the same questions, and what it shows, with its interval.

An `Experiment` is a base study, the fields of it that vary, questions with known answers, and what is drawn at random
(demonstration sets, orders). `run_experiment` computes its cells in processes of their own and keeps every item in a
`Ledger`, so that what was computed is never computed again; `findings_of` reads the ledger.

    python -m core.experiments run experiment.json      # the same, without a browser
"""
