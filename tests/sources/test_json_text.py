"""Strings in the place of others in a JSON document, whatever its layout and spelling."""

from __future__ import annotations

import json

from hypothesis import given, strategies as st

from kl_lint.sources.json_text import Literal, loads, replaced

LAYOUTS = (
    {"indent": 1, "ensure_ascii": False},
    {"indent": 4, "ensure_ascii": True},
    {"indent": None, "ensure_ascii": True, "separators": (",", ":")},
)
lines = st.lists(st.sampled_from(["a = 1", "é日😀", 'say "\\n"', "", "\t%time", "x" * 5, "\\ud83d", "\x7f\b"]), max_size=6)
texts = st.builds(lambda rows, end: "\n".join(rows) + end, lines, st.sampled_from(["", "\n"]))


def rewritten(document: str, source: object, text: str) -> str:
    """The document with `text` in the place of `source`, which is in it."""
    assert isinstance(source, (Literal, list))
    for start, end, new in reversed(replaced(document, source, text)):
        document = document[:start] + new + document[end:]
    return document


def source_of(document: str) -> object:
    """The value of the key `source`."""
    loaded = loads(document)
    assert isinstance(loaded, dict)
    return loaded["source"]


@given(old=texts.filter(bool), new=texts.filter(bool), layout=st.sampled_from(LAYOUTS), as_list=st.booleans())
def test_any_text_in_the_place_of_any_other(old: str, new: str, layout: dict[str, object], as_list: bool) -> None:
    def document(text: str) -> str:
        source = text.splitlines(keepends=True) if as_list else text
        return json.dumps({"before": "é", "source": source, "after": [1.50, None]}, **layout)  # type: ignore[arg-type]

    before = document(old)
    after = rewritten(before, source_of(before), new)
    assert "".join(source_of(after)) == new  # type: ignore[arg-type]
    assert rewritten(before, source_of(before), old) == before
    kept = before.index('"source"'), len(before) - before.rindex('"after"')
    assert after[: kept[0]] == before[: kept[0]]
    assert after[-kept[1] :] == before[-kept[1] :]
    if as_list and layout["indent"] is not None:
        assert after == document(new), "lines that come are laid out as the others are"


def test_what_does_not_change_keeps_its_spelling() -> None:
    document = '{"source": ["\\u00e9 \\/ é = 1\\n",\t"\\ud83d\\ude00 = 2"  ]}'
    assert rewritten(document, source_of(document), "é / é = 3\n😀 = 2") == document.replace("= 1", "= 3")
    assert rewritten(document, source_of(document), "é / é = 1\n😀 = 4") == document.replace("= 2", "= 4")
    single = '{"source": "\\u00e9 \\/ é = 1\\u000a\\ud83d\\ude00 = 2"}'
    assert rewritten(single, source_of(single), "é / é = 1\n😀 = 4") == single.replace("= 2", "= 4")


def test_what_comes_is_ascii_in_ascii() -> None:
    assert rewritten('{"source": "a"}', source_of('{"source": "a"}'), "é") == '{"source": "\\u00e9"}'
    assert rewritten('{"source": "aß"}', source_of('{"source": "aß"}'), "éß") == '{"source": "éß"}'


def test_the_only_line_of_a_list_becomes_several() -> None:
    document = '{"source": [\n   "a"\n  ]}'
    assert rewritten(document, source_of(document), "b\na") == '{"source": [\n   "b\\n",\n   "a"\n  ]}'


def test_places_of_strings() -> None:
    document = '{"a": ["x", {"b": "é\\n"}], "c": 1}'
    loaded = loads(document)
    assert loaded == json.loads(document)
    literal = loaded["a"][1]["b"]  # type: ignore[index]
    assert document[literal.start : literal.end] == '"é\\n"'
