"""What columns are usually called, in small letters."""

from __future__ import annotations

INPUT_NAMES = (
    "input", "x", "text", "sentence", "question", "review", "source", "prompt", "word", "title", "q",
    "premise", "sentence1", "question1", "query", "passage", "context", "document", "article", "content", "user",
    "description", "problem", "utterance", "tweet", "instruction",
)  # fmt: skip
"""Of the input, the likeliest first."""
LABEL_NAMES = (
    "label_text", "label", "y", "output", "class", "target", "answer", "category", "sentiment", "a", "class index",
    "completion", "gold", "response", "labels", "answers", "intent", "assistant", "emotion", "topic",
)  # fmt: skip
"""Of the label, the likeliest first."""
OTHER_NAMES = (
    "hypothesis", "sentence2", "question2", "options", "choices", "rationale", "explanation", "steps", "reasoning",
    "excluded", "system",
)  # fmt: skip
"""Of what a record has besides, so that a line or a row of such names is known for what it is."""
USUAL_NAMES = frozenset({*INPUT_NAMES, *LABEL_NAMES, *OTHER_NAMES})
ID_NAMES = frozenset((
    "id", "idx", "index", "qid", "uid", "guid", "pid", "sid", "doc_id", "code", "no", "nr", "number", "row",
    "unnamed: 0",
))  # fmt: skip
"""Of a column that says which row it is, and nothing about it."""
INPUT, LABEL = "input", "label"
"""What the columns of our own files are called."""
EXCLUDED = "excluded"
"""Column that carries `Demonstration.excluded` in files of our own."""
STEPS = "steps"
"""Column that carries `Demonstration.steps`, as `core.study.demonstrations.write_steps` writes them."""
SPLIT = "split"
"""Column that says which part of a published set a row is of, such as train, dev and test."""
RESERVED_NAMES = frozenset((EXCLUDED, STEPS, SPLIT))
"""Of columns that are read for what they are called."""
LABEL_WORDS = frozenset((
    "positive", "negative", "neutral", "mixed", "yes", "no", "true", "false", "maybe", "unknown", "entailment",
    "contradiction", "spam", "ham", "toxic", "hate", "offensive", "correct", "incorrect", "good", "bad", "supported",
    "refuted", "subjective", "objective", "acceptable", "unacceptable",
))  # fmt: skip
"""Words that are labels rather than names of fields."""
