"""Files that are not Unicode: which encoding is detected, and what can be chosen instead."""

from __future__ import annotations

import pytest

from core import DataError
from core.files import ENCODINGS, detected, is_unicode, read_file

TEXTS = {
    "cp1252": "texte,étiquette\nun très bon film à voir,élevé\nplutôt ennuyeux et raté,à éviter\n",
    "cp1250": "tekst,etykieta\nświetny film polecam gorąco,dobry\nnudny i zły film żałuję,zły\n",
    "cp1251": "текст,метка\nОчень хороший фильм,хорошо\nСкучно и плохо,плохо\n",
    "koi8-r": "текст,метка\nОчень хороший фильм,хорошо\nСкучно и плохо,плохо\n",
    "cp1253": "κείμενο,ετικέτα\nπολύ καλή ταινία,καλή\nβαρετή ταινία,κακή\n",
    "cp1255": "טקסט,תווית\nסרט טוב מאוד,טוב\nסרט משעמם,רע\n",
    "cp1256": "نص,تسمية\nفيلم رائع جدا,جيد\nفيلم ممل,سيئ\n",
    "gb18030": "文本,标签\n这部电影非常好看,正面\n太无聊了，不想再看,负面\n",
    "big5": "文字,標籤\n這部電影非常好看,正面\n太無聊了，不想再看,負面\n",
    "shift_jis": "文,ラベル\n映画は良かったです。本当に感動しました,肯定\n退屈な映画でした,否定\n",
    "euc-jp": "文,ラベル\n映画は良かったです。本当に感動しました,肯定\n退屈な映画でした,否定\n",
    "cp949": "문장,라벨\n정말 재미있는 영화,긍정\n지루하고 나쁜 영화,부정\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_detected_encoding_is_read_and_named(encoding: str) -> None:
    data = TEXTS[encoding].encode(encoding)
    assert not is_unicode(data)
    assert detected(data) == encoding
    table = read_file(data, "a.csv", header=True)
    lines = TEXTS[encoding].splitlines()
    assert table.columns == tuple(lines[0].split(","))
    assert table.rows[0] == tuple(lines[1].split(","))
    assert ENCODINGS[encoding] in table.notes[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_can_be_chosen(encoding: str) -> None:
    text = TEXTS.get(encoding, TEXTS["cp1252"] if encoding == "cp1254" else "tekstas,žyma\ngeras š,ė\n")
    table = read_file(text.encode(encoding), "a.csv", header=True, encoding=encoding)
    assert table.columns == tuple(text.splitlines()[0].split(","))
    assert not any("UTF-8" in note for note in table.notes)


def test_what_is_unicode_stays_so_whatever_is_chosen() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        data = "文本,标签\n好,坏\n".encode(encoding)
        assert is_unicode(data)
        assert read_file(data, "a.csv", encoding="gb18030", header=True).rows == (("好", "坏"),)


def test_a_wrong_choice_is_one_sentence() -> None:
    with pytest.raises(DataError, match=r"not Shift-JIS \(Japanese\): byte \d+ is none of its signs"):
        read_file(b"a,b\n\xff\xfd\xa0,c\n", "a.csv", encoding="shift_jis")


def test_few_letters_say_nothing_about_another_alphabet() -> None:
    assert detected("word;name,french\ncafé au lait,lait\nnaïve,naïf\n".encode("latin-1")) == "cp1252"
