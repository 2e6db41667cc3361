"""The known prior: families of tasks, the generator of documents, the vocabulary."""
