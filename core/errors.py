"""Everything ICLens raises on purpose. The message is one sentence for the user: what was wrong, what to do.

ICLensError
├── StudyError            a study that cannot be run as it stands
│   ├── InvalidValue      a value that a field of the study cannot have
│   ├── DataError         a file or table that cannot be read
│   ├── PromptTooLong     more tokens than the model's context holds
│   └── Unavailable       something that this model or this installation cannot give
├── ModelError            a model that cannot be loaded or used
└── Cancelled             the user asked for the work to stop
"""


class ICLensError(Exception):
    """Base of the tree: a page shows `str(error)` as it is and keeps what the user had.

    A message may quote what it is about: signs in it that cannot be seen, or that break the line, are blanks.
    """

    def __init__(self, sentence: str = "") -> None:
        seen = sentence if sentence.isprintable() else "".join(c if c.isprintable() else " " for c in sentence)
        super().__init__(*([seen] if seen else []))


class StudyError(ICLensError):
    """The study cannot be run as it stands."""


class InvalidValue(StudyError, ValueError):
    """A study, or a part of one, that cannot be made.

    Attributes:
        place: names and numbers that lead to the field.
        why: what is wrong with its value.
        unknown: places of all fields that nobody knows.
    """

    def __init__(
        self, sentence: str, place: tuple[int | str, ...], why: str, unknown: tuple[tuple[int | str, ...], ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.place, self.why, self.unknown = place, why, unknown


class DataError(StudyError):
    """A file or table cannot be read as demonstrations."""


class PromptTooLong(StudyError):
    """The prompt has more tokens than the model's context holds.

    Attributes:
        tokens: tokens in the prompt, the answer included.
        context: tokens that the model can read.
        fits: how many of the last demonstrations would fit.
    """

    def __init__(self, tokens: int, context: int, fits: int) -> None:
        self.tokens, self.context, self.fits = tokens, context, fits
        if fits > 0:
            cure = f"the last {fits} demonstration{'s' if fits != 1 else ''} would fit: drop the earliest"
        else:
            cure = "not one demonstration fits: shorten the query or the instruction"
        super().__init__(f"The prompt has {tokens:,} tokens and this model reads {context:,}; {cure}.")


class Unavailable(StudyError):
    """This model or this installation cannot give what was asked for; the rest of the study still runs."""


class ModelError(ICLensError):
    """A model cannot be loaded or cannot do what was asked of it."""


class Cancelled(ICLensError):
    """The work was stopped on request."""

    def __init__(self) -> None:
        super().__init__("Stopped on request; nothing was changed.")
