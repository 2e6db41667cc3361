"""The pool as a map, and what each selection would have chosen."""
