import unicodedata

import pytest

from ferry.printable import printable, printable_lines

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("\x00\x07\x08\x7f", "\\x00\\x07\\x08\\x7f"),
        ("\u202egpj.exe\u202c", "\\u202egpj.exe\\u202c"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\ud800", "\\ud800"),
        ("naïve Größe 模型 \\x1b 🦆 [bold]", "naïve Größe 模型 \\x1b 🦆 [bold]"),
    ],
)
def test_what_is_an_instruction_is_shown_and_letters_stay(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_no_control_character_of_unicode_is_left():
    every = "".join(map(chr, range(0x10000)))
    left = [character for character in printable(every) if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]
    assert left == []
    bidirectional = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    assert [c for c in printable(every) if unicodedata.bidirectional(c) in bidirectional] == []


def test_a_second_line_cannot_pass_for_a_message():
    assert printable_lines("bad\nverify: passed\r\n\n\tKey\x1b") == ["bad", "    verify: passed", "    Key\\x1b"]
