"""The study of a session: its state, its history, where it is kept."""
