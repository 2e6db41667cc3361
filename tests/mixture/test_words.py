"""The word tables are clean, internally consistent, and rich enough in ambiguous words."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

WORDS = Path(__file__).resolve().parents[2] / "core" / "mixture" / "words"

# Header of each table; the first column is its key.
HEADERS = {
    "nouns": "word plural french category living place size",
    "verbs": "word past participle third gerund french regular",
    "adjectives": "word antonym comparative adverb french tone",
    "countries": "word capital continent language demonym french coast",
    "sequences": "word next previous french kind",
    "numbers": "number english french roman",
    "colours": "noun colour",
    "labels": "first second",
}
# Columns that may hold empty cells: there is no such single word.
MAY_BE_EMPTY = {
    ("sequences", "next"),
    ("sequences", "previous"),
    ("numbers", "english"),
    ("numbers", "french"),
    ("numbers", "roman"),
}
CLOSED = {
    ("nouns", "category"): "animal food plant body clothing tool vehicle furniture building instrument",
    ("nouns", "living"): "yes no",
    ("nouns", "place"): "indoors outdoors",
    ("nouns", "size"): "big small",
    ("verbs", "regular"): "yes no",
    ("adjectives", "tone"): "good bad",
    ("countries", "continent"): "Europe Asia Africa America Oceania",
    ("countries", "coast"): "yes no",
    ("sequences", "kind"): "day month season ordinal",
    ("colours", "colour"): "red yellow green white black brown grey orange blue pink purple",
}


def table(name: str) -> list[dict[str, str]]:
    with (WORDS / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def reviews() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((WORDS / "reviews.json").read_text(encoding="utf-8"))
    return loaded


def lexicons() -> dict[str, list[str]]:
    return {
        f"{factor}/{value}": words for factor, values in reviews()["lexicon"].items() for value, words in values.items()
    }


def fillers() -> set[str]:
    return {slot for pattern in reviews()["patterns"] for slot in pattern if not slot.startswith("<")}


@pytest.mark.parametrize("name", HEADERS)
def test_rows_are_complete_and_cells_are_single_words(name: str) -> None:
    lines = (WORDS / f"{name}.tsv").read_text(encoding="utf-8").split("\n")
    assert lines[0].split("\t") == HEADERS[name].split()
    assert lines[-1] == ""
    assert {line.count("\t") for line in lines[:-1]} == {lines[0].count("\t")}
    for row in table(name):
        for column, cell in row.items():
            allowed_empty = cell == "" and (name, column) in MAY_BE_EMPTY
            assert allowed_empty or cell.isalnum(), f"{name}: {column} of {row} is {cell!r}"


@pytest.mark.parametrize("name", HEADERS)
def test_keys_are_unique(name: str) -> None:
    key = HEADERS[name].split()[0]
    counts = Counter(row[key] for row in table(name))
    assert [word for word, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", ["nouns", "verbs", "adjectives", "countries", "sequences"])
def test_french_has_no_two_rows_alike(name: str) -> None:
    # Otherwise French -> English would be ambiguous within the table.
    counts = Counter(row["french"] for row in table(name))
    assert [word for word, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(("name", "column"), CLOSED)
def test_closed_columns_hold_only_known_values(name: str, column: str) -> None:
    assert {row[column] for row in table(name)} == set(CLOSED[name, column].split())


def test_categories_are_large_enough_and_decide_what_lives() -> None:
    nouns = table("nouns")
    assert min(Counter(row["category"] for row in nouns).values()) >= 14
    assert all((row["living"] == "yes") == (row["category"] in {"animal", "plant"}) for row in nouns)


def test_antonyms_are_symmetric_and_of_opposite_tone() -> None:
    rows = {row["word"]: row for row in table("adjectives")}
    for word, row in rows.items():
        other = rows[row["antonym"]]
        assert other["antonym"] == word
        assert other["tone"] != row["tone"]


def test_regular_verbs_follow_the_rule() -> None:
    for row in table("verbs"):
        word, past = row["word"], row["past"]
        stem = word[:-1] if word.endswith("e") else word
        stem = word[:-1] + "i" if word.endswith("y") and word[-2] not in "aeiou" else stem
        assert (row["regular"] == "yes") == (past == row["participle"] == stem + "ed"), row
        assert row["gerund"].endswith("ing")
        assert row["third"].endswith("s")


def test_sequences_step_back_where_they_step_forward() -> None:
    rows = {row["word"]: row for row in table("sequences")}
    for word, row in rows.items():
        if row["next"]:
            assert rows[row["next"]]["previous"] == word
            assert rows[row["next"]]["kind"] == row["kind"]
    assert {row["kind"] for row in rows.values() if not row["next"] or not row["previous"]} == {"ordinal"}
    assert Counter(row["kind"] for row in rows.values()) == {"day": 7, "month": 12, "season": 4, "ordinal": 10}


def test_numbers_run_from_0_to_60_with_right_roman_numerals() -> None:
    rows = table("numbers")
    values = {"i": 1, "v": 5, "x": 10, "l": 50}
    assert [row["number"] for row in rows] == [str(n) for n in range(61)]
    for n, row in enumerate(rows):
        digits = [values[letter] for letter in row["roman"]]
        # A digit counts negative when a larger one follows it.
        total = sum(-d if d < max(digits[i:]) else d for i, d in enumerate(digits))
        assert total == n
        assert not any(letter * 4 in row["roman"] for letter in "ivx")
        assert bool(row["english"]) == (n <= 20 or n % 10 == 0)
        assert bool(row["french"]) == (n <= 16 or n % 10 == 0)


def test_colours_are_of_known_nouns() -> None:
    assert {row["noun"] for row in table("colours")} <= {row["word"] for row in table("nouns")}


def test_label_pairs_differ() -> None:
    words = [word for row in table("labels") for word in row.values()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("name", "left", "right", "least"),
    [
        ("nouns", "word", "plural", 12),
        ("nouns", "word", "french", 40),
        ("verbs", "word", "past", 8),
        ("verbs", "past", "participle", 50),
        ("adjectives", "word", "adverb", 6),
        ("adjectives", "word", "french", 5),
        ("countries", "word", "capital", 4),
        ("countries", "language", "demonym", 25),
    ],
)
def test_tasks_overlap_on_purpose(name: str, left: str, right: str, least: int) -> None:
    assert sum(row[left] == row[right] for row in table(name)) >= least


def test_review_words_belong_to_one_lexicon_only() -> None:
    counts = Counter(word for words in lexicons().values() for word in words)
    counts.update(fillers())
    assert [word for word, count in counts.items() if count > 1] == []
    assert all(word.isalpha() and word.islower() for word in counts)


def test_every_review_pattern_carries_every_factor_in_5_to_9_words() -> None:
    factors = {f"<{factor}>" for factor in reviews()["lexicon"]}
    assert factors == {"<sentiment>", "<topic>", "<formality>", "<tense>"}
    patterns = [tuple(pattern) for pattern in reviews()["patterns"]]
    assert len(patterns) == len(set(patterns)) >= 10
    for pattern in patterns:
        assert factors <= set(pattern)
        assert 5 <= len(pattern) <= 9, pattern
        assert all(slot in factors or slot.isalpha() for slot in pattern)


def test_both_values_of_a_factor_have_lexicons_of_equal_size() -> None:
    # So that no single word is stronger evidence for one value than for the other.
    for values in reviews()["lexicon"].values():
        assert len({len(words) for words in values.values()}) == 1


def test_there_are_at_least_1500_distinct_words() -> None:
    words = {cell for name in HEADERS for row in table(name) for cell in row.values()}
    words |= {word for lexicon in lexicons().values() for word in lexicon} | fillers()
    assert len(words - {""}) >= 1500
