"""The README's table of the files that are read: a small one of each public form, read by the program."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from core.files import guess_pattern, parts_of, read_file, read_text, to_demonstrations


class Form(NamedTuple):
    """A kind of file, who publishes it, its name ("" for pasted text), and a small one of it."""

    kind: str
    where: str
    name: str
    data: str | bytes


def _lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _chat(x: str, y: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": x}, {"role": "assistant", "content": y}]


SAMPLE = {"doc_id": 0, "doc": {"sentence": "a fine film", "label": 1}, "resps": [["-1.5", "False"]], "target": "1"}
FORMS = (
    Form("label first, no separator", "SST-2 as in Zhao et al. 2021", "dev.txt", "1 a fine film\n0 dull , slow\n"),
    Form("label first, with a colon", "TREC", "train_5500.label", "NUM:count How many ?\nDESC:manner How ?\n"),
    Form("__label__ first", "fastText", "train.train", "__label__pos a fine film\n__label__neg dull\n"),
    Form("CSV without header", "AG News", "train.csv",
         '"3","Fears for pensions","Unions say they are disappointed."\n"4","The race","A team of rocketeers."\n'
         '"4","Grant","A company won a grant to study it."\n"3","Rates","The bank left its rates where they were."\n'),
    Form("TSV without header", "CoLA", "in_domain_train.tsv",
         "gj04\t1\t\tOur friends won't buy it.\ngj04\t0\t*\tThey drank the pub.\nbc01\t1\t\tThe more books he reads.\n"
         "bc01\t0\t*\tWe yelled ourselves.\n"),
    Form("TSV, two sentences", "RTE of GLUE", "train.tsv",
         "index\tsentence1\tsentence2\tlabel\n0\tNo weapons were found.\tWeapons were found.\tnot_entailment\n"),
    Form("CSV with “sep=;”", "spreadsheets", "export.csv", "sep=;\ninput;label\n1,5;low\n"),
    Form("JSON list", "Todd et al. 2024", "antonym.json", json.dumps([{"input": "flawed", "output": "perfect"}])),
    Form("list inside an object", "BIG-bench", "task.json",
         json.dumps({"name": "t", "examples": [{"input": "2 + 3", "target": "5"}]})),
    Form("list inside an object, lists of one", "Natural Instructions", "task1.json",
         json.dumps({"Categories": ["QA"], "Instances": [{"id": "1", "input": "Is it?", "output": ["Yes"]}]})),
    Form("lists for train and test", "few-shot sets", "set.json",
         json.dumps({"train": [{"text": "a fine film", "label": "pos"}], "test": [{"text": "dull", "label": "neg"}]})),
    Form("columns in JSON", "datasets, pandas", "part.json", json.dumps({"text": ["fine"], "label": ["pos"]})),
    Form("JSON Lines", "SuperGLUE's CB", "train.jsonl",
         _lines({"premise": "It rains.", "hypothesis": "It is wet.", "label": "entailment", "idx": 0})),
    Form("JSON Lines, nested", "lm-eval --log_samples", "samples.jsonl", _lines(SAMPLE)),
    Form("chat messages", "fine-tuning sets", "chats.jsonl", _lines({"messages": _chat("cat", "chat")})),
    Form("Alpaca's records", "Stanford Alpaca", "alpaca.json",
         json.dumps([{"instruction": "Name a pet.", "input": "", "output": "A cat."}])),
    Form("not UTF-8", "Shift-JIS", "a.csv",
         "text,label\n映画は良かったです。本当に感動しました,肯定\n退屈な映画でした,否定\n".encode("shift_jis")),
    Form("a prompt of several fields", "pasted", "",
         "Answer by one word.\nPremise: It rains.\nHypothesis: It is wet.\nLabel: yes\n\nPremise: It snows.\n"
         "Hypothesis: It is hot.\nLabel: no\n"),
    Form("a prompt with options", "pasted", "",
         "Q: Which?\nOptions:\n(A) x\n(B) y\nA: (B)\n\nQ: What?\nOptions: (A) z\nA:"),
    Form("GPT-3's prompt", "pasted", "", "Translate English to French:\nsea otter => loutre de mer\ncheese =>"),
    Form("a table of Markdown", "pasted", "", "| word | French |\n|---|---|\n| cat | chat |\n"),
)  # fmt: skip


def _cell(text: str) -> str:
    bare = text.replace("\n", " ↵ ").replace("|", "\\|")
    return bare if len(bare) <= 120 else bare[:119] + "…"


def row_of(form: Form) -> tuple[str, str, str]:
    """(input, label, note) of the first row, by the columns that are guessed."""
    data = form.data.encode() if isinstance(form.data, str) else form.data
    table = read_file(data, form.name) if form.name else read_text(data.decode())
    x, y = table.guess
    first = to_demonstrations(table, x, y, guess_pattern(table.columns, y))[0]
    parts = f"Parts: {', '.join(parts_of(table))}." if parts_of(table) else ""
    return first.input, first.label, parts or " ".join(table.notes)


def forms() -> str:
    """The table, a row a form."""
    lines = ["| kind of file | public form | input of the first row | label | said |", "|---|---|---|---|---|"]
    for form in FORMS:
        cells = (form.kind, form.where, *row_of(form))
        lines.append("| " + " | ".join(_cell(cell) if cell else "" for cell in cells) + " |")
    return "\n".join(lines) + "\n"
