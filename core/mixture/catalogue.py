"""The catalogue: every domain with enumerable inputs, and the tasks on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product

from core.mixture.families import ConceptSpec, DomainSpec, MapSpec
from core.mixture.lexicon import LARGEST_NUMBER, LETTERS, Row, table

VOWELS = "aeiou"
LONG_SUMS = (3, 4)  # addends; as many inputs of either length
LARGEST_ADDEND = 9


def _column(rows: Sequence[Row], name: str) -> tuple[str, ...]:
    return tuple(row[name] for row in rows)


def _concept(
    name: str, instruction: str, labels: tuple[str, str], inputs: Sequence[str], is_second: Callable[[int], bool]
) -> ConceptSpec:
    return ConceptSpec(name, instruction, tuple(int(is_second(i)) for i in range(len(inputs))), labels)


def _nouns() -> DomainSpec:
    rows = table("nouns")
    words = _column(rows, "word")
    return DomainSpec(
        "nouns",
        0.13,
        words,
        (
            MapSpec("French", "Translate to French.", _column(rows, "french"), 1.5),
            MapSpec("plural", "Give the plural.", _column(rows, "plural"), 1.2),
            MapSpec("copy", "Copy the word.", words),
            MapSpec("category", "Name the category.", _column(rows, "category")),
            MapSpec("first letter", "Give the first letter.", tuple(w[0] for w in words), 0.6),
            MapSpec("last letter", "Give the last letter.", tuple(w[-1] for w in words), 0.6),
        ),
        (
            _concept("living", "Is it living?", ("living", "object"), words, lambda i: rows[i]["living"] == "no"),
            _concept("size", "Is it big or small?", ("big", "small"), words, lambda i: rows[i]["size"] == "small"),
            _concept(
                "place", "Where is it found?", ("indoors", "outdoors"), words, lambda i: rows[i]["place"] == "outdoors"
            ),
            _concept(
                "vowel",
                "Does it start with a vowel?",
                ("vowel", "consonant"),
                words,
                lambda i: words[i][0] not in VOWELS,
            ),
        ),
    )


def _colours() -> DomainSpec:
    rows = table("colours")
    words = _column(rows, "noun")
    french = {row["word"]: row["french"] for row in table("nouns")}
    return DomainSpec(
        "coloured things",
        0.05,
        words,
        (
            MapSpec("colour", "Name the colour.", _column(rows, "colour"), 2.0),
            MapSpec("coloured things: French", "Translate to French.", tuple(french.get(w, w) for w in words)),
            MapSpec("coloured things: copy", "Copy the word.", words, 0.5),
        ),
    )


def _verbs() -> DomainSpec:
    rows = table("verbs")
    words = _column(rows, "word")
    return DomainSpec(
        "verbs",
        0.09,
        words,
        (
            MapSpec("past tense", "Give the past tense.", _column(rows, "past"), 1.5),
            MapSpec("participle", "Give the participle.", _column(rows, "participle"), 0.8),
            MapSpec("third person", "Give the third person.", _column(rows, "third")),
            MapSpec("gerund", "Give the gerund.", _column(rows, "gerund")),
            MapSpec("verbs: French", "Translate to French.", _column(rows, "french")),
            MapSpec("verbs: copy", "Copy the word.", words, 0.6),
            MapSpec("verbs: first letter", "Give the first letter.", tuple(w[0] for w in words), 0.4),
        ),
        (_concept("regular", "Is it regular?", ("regular", "irregular"), words, lambda i: rows[i]["regular"] == "no"),),
    )


def _adjectives() -> DomainSpec:
    rows = table("adjectives")
    words = _column(rows, "word")
    return DomainSpec(
        "adjectives",
        0.10,
        words,
        (
            MapSpec("antonym", "Give the opposite.", _column(rows, "antonym"), 1.5),
            MapSpec("comparative", "Give the comparative.", _column(rows, "comparative")),
            MapSpec("adverb", "Give the adverb.", _column(rows, "adverb"), 0.8),
            MapSpec("adjectives: French", "Translate to French.", _column(rows, "french")),
            MapSpec("adjectives: copy", "Copy the word.", words, 0.6),
            MapSpec("adjectives: last letter", "Give the last letter.", tuple(w[-1] for w in words), 0.4),
        ),
        (_concept("tone", "Is it good or bad?", ("good", "bad"), words, lambda i: rows[i]["tone"] == "bad"),),
    )


def _countries() -> DomainSpec:
    rows = table("countries")
    words = _column(rows, "word")
    return DomainSpec(
        "countries",
        0.08,
        words,
        (
            MapSpec("capital", "Name the capital.", _column(rows, "capital"), 1.5),
            MapSpec("continent", "Name the continent.", _column(rows, "continent")),
            MapSpec("language", "Name the language.", _column(rows, "language")),
            MapSpec("demonym", "Name the people.", _column(rows, "demonym")),
            MapSpec("countries: French", "Translate to French.", _column(rows, "french"), 0.7),
            MapSpec("countries: copy", "Copy the word.", words, 0.5),
        ),
        (
            _concept("coast", "Has it a coast?", ("coast", "inland"), words, lambda i: rows[i]["coast"] == "no"),
            _concept(
                "Europe", "Is it in Europe?", ("Europe", "elsewhere"), words, lambda i: rows[i]["continent"] != "Europe"
            ),
        ),
    )


def _numbers() -> DomainSpec:
    rows = table("numbers")
    values = tuple(int(row["number"]) for row in rows)
    words = tuple(str(v) for v in values)

    def spelled(column: str) -> tuple[str, ...]:
        # A number without a single word in that language is answered by its figures.
        return tuple(row[column] or row["number"] for row in rows)

    return DomainSpec(
        "numbers",
        0.09,
        words,
        (
            MapSpec("next number", "Give the next number.", tuple(str(v + 1) for v in values), 1.5),
            MapSpec("previous number", "Give the previous number.", tuple(str(max(v - 1, 0)) for v in values)),
            MapSpec("double", "Double the number.", tuple(str(2 * v) for v in values), 1.5),
            MapSpec("plus two", "Add two.", tuple(str(v + 2) for v in values)),
            MapSpec("plus ten", "Add ten.", tuple(str(v + 10) for v in values)),
            MapSpec("number in English", "Write the number in English.", spelled("english"), 0.8),
            MapSpec("number in French", "Write the number in French.", spelled("french"), 0.8),
            MapSpec("Roman number", "Write the number in Roman.", spelled("roman"), 0.6),
            MapSpec("numbers: copy", "Copy the number.", words, 0.6),
        ),
        (
            _concept("parity", "Is it even or odd?", ("even", "odd"), words, lambda i: values[i] % 2 == 1),
            _concept("large", "Is it low or high?", ("low", "high"), words, lambda i: values[i] > values[-1] // 2),
        ),
    )


def _operation(name: str, sign: str, prior: float, largest: int, result: MapSpec) -> DomainSpec:
    pairs = _number_pairs(largest)
    return DomainSpec(
        name,
        prior,
        tuple(f"{a} {sign} {b}" for a, b in pairs),
        (
            result,
            MapSpec(f"{name}: first", "Give the first.", tuple(str(a) for a, _ in pairs), 0.3),
            MapSpec(f"{name}: last", "Give the last.", tuple(str(b) for _, b in pairs), 0.3),
            MapSpec(f"{name}: larger", "Give the larger.", tuple(str(max(p)) for p in pairs), 0.3),
        ),
    )


def _number_pairs(largest: int) -> tuple[tuple[int, int], ...]:
    return tuple((a, b) for a in range(largest + 1) for b in range(largest + 1))


def _sums() -> DomainSpec:
    answers = tuple(str(a + b) for a, b in _number_pairs(20))
    return _operation("sums", "+", 0.06, 20, MapSpec("addition", "Add the numbers.", answers, 2.0))


def _differences() -> DomainSpec:
    answers = tuple(str(abs(a - b)) for a, b in _number_pairs(20))
    return _operation("differences", "-", 0.04, 20, MapSpec("subtraction", "Subtract the numbers.", answers, 2.0))


def _long_sums() -> DomainSpec:
    addends = tuple(a for count in LONG_SUMS for a in product(range(1, LARGEST_ADDEND + 1), repeat=count))
    return DomainSpec(
        "long sums",
        0.04,
        tuple(" + ".join(map(str, a)) for a in addends),
        (
            MapSpec("total", "Add the numbers.", tuple(str(sum(a)) for a in addends), 2.0),
            MapSpec("long sums: largest", "Give the largest.", tuple(str(max(a)) for a in addends), 0.4),
            MapSpec("long sums: first", "Give the first.", tuple(str(a[0]) for a in addends), 0.3),
            MapSpec("long sums: last", "Give the last.", tuple(str(a[-1]) for a in addends), 0.3),
        ),
        halves=tuple(LONG_SUMS.index(len(a)) for a in addends),
    )


def _pairs_of_numbers() -> DomainSpec:
    pairs = _number_pairs(20)
    return DomainSpec(
        "number pairs",
        0.05,
        tuple(f"{a} {b}" for a, b in pairs),
        (
            MapSpec("pair sum", "Add the numbers.", tuple(str(a + b) for a, b in pairs)),
            MapSpec("larger", "Give the larger.", tuple(str(max(p)) for p in pairs)),
            MapSpec("smaller", "Give the smaller.", tuple(str(min(p)) for p in pairs)),
            MapSpec("first number", "Give the first.", tuple(str(a) for a, _ in pairs)),
            MapSpec("last number", "Give the last.", tuple(str(b) for _, b in pairs)),
        ),
        (
            _concept(
                "ascending",
                "Is it rising?",
                ("rising", "falling"),
                pairs_as_text(pairs),
                lambda i: pairs[i][0] > pairs[i][1],
            ),
        ),
    )


def pairs_as_text(pairs: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Number pairs as the inputs they are written as."""
    return tuple(f"{a} {b}" for a, b in pairs)


def _pairs_of_words() -> DomainSpec:
    rows = table("nouns")[::6]
    pairs = tuple((a, b) for a in rows for b in rows if a is not b)
    return DomainSpec(
        "word pairs",
        0.05,
        tuple(f"{a['word']} {b['word']}" for a, b in pairs),
        (
            MapSpec("first word", "Give the first.", tuple(a["word"] for a, _ in pairs)),
            MapSpec("last word", "Give the last.", tuple(b["word"] for _, b in pairs)),
            MapSpec("first in French", "Give the first in French.", tuple(a["french"] for a, _ in pairs), 0.7),
            MapSpec("last in French", "Give the last in French.", tuple(b["french"] for _, b in pairs), 0.7),
        ),
        (
            ConceptSpec(
                "same category",
                "Are they of one category?",
                tuple(int(a["category"] != b["category"]) for a, b in pairs),
                ("same", "different"),
            ),
        ),
    )


def _sequences() -> DomainSpec:
    rows = table("sequences")
    words = _column(rows, "word")
    return DomainSpec(
        "sequences",
        0.04,
        words,
        (
            # An item with nothing after or before it answers itself.
            MapSpec("next item", "Give the next.", tuple(row["next"] or row["word"] for row in rows), 1.5),
            MapSpec("previous item", "Give the previous.", tuple(row["previous"] or row["word"] for row in rows), 1.2),
            MapSpec("sequences: French", "Translate to French.", _column(rows, "french")),
            MapSpec("kind of item", "Name the kind.", _column(rows, "kind"), 0.7),
            MapSpec("sequences: copy", "Copy the word.", words, 0.5),
        ),
    )


def _letters() -> DomainSpec:
    return DomainSpec(
        "letters",
        0.04,
        LETTERS,
        (
            MapSpec("next letter", "Give the next letter.", LETTERS[1:] + LETTERS[:1], 1.5),
            MapSpec("previous letter", "Give the previous letter.", LETTERS[-1:] + LETTERS[:-1]),
            MapSpec("capital letter", "Write a capital letter.", tuple(c.upper() for c in LETTERS)),
            MapSpec("letters: copy", "Copy the letter.", LETTERS, 0.6),
            MapSpec("letter to number", "Count the letter.", tuple(str(i + 1) for i in range(26)), 0.8),
        ),
        (
            _concept(
                "letter vowel", "Is it a vowel?", ("vowel", "consonant"), LETTERS, lambda i: LETTERS[i] not in VOWELS
            ),
        ),
    )


@lru_cache(maxsize=1)
def domain_specs() -> tuple[DomainSpec, ...]:
    """Every domain with enumerable inputs. Reviews and spelled words, which are not, live in files of their own."""
    return (
        _nouns(),
        _colours(),
        _verbs(),
        _adjectives(),
        _countries(),
        _numbers(),
        _sums(),
        _differences(),
        _long_sums(),
        _pairs_of_numbers(),
        _pairs_of_words(),
        _sequences(),
        _letters(),
    )


NUMBERS = tuple(str(n) for n in range(LARGEST_NUMBER + 1))
