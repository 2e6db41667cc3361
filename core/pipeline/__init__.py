"""From a study to its outcome: select, order, render, score, explain."""
