"""The lexicon file: what is refused and where, what formatting keeps, what checking finds, what look-ups give."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspin.errors import InputError, LexiconError
from unspin.lexicon import COLUMNS, DEFAULT, LONGEST, Lexicon, Line, check, find, formatted, order, read, written
from unspin.model import Entry, Status

HEADER = "\t".join(COLUMNS)
GOOD = "struggle\twar\t0.6\t12\tauto\tlearned\t"


def table(path: Path, *rows: str, newline: str = "\n") -> Path:
    path.write_bytes((newline.join([HEADER, *rows]) + newline).encode())
    return path


def changed(field: str, value: str) -> str:
    fields = GOOD.split("\t")
    fields[COLUMNS.index(field)] = value
    return "\t".join(fields)


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("struggle\twar", 13, "2 fields where 7"),
        (GOOD + "\tmore", 39, "8 fields where 7"),
        ("struggle war 0.6 12 auto learned", 33, "1 fields where 7"),
        (changed("spun", ""), 1, "spun: '' has 0 tokens"),
        (changed("original", ""), 10, "original: '' has 0 tokens"),
        (changed("original", "a b c d e f g h"), 10, "8 tokens; 1 to 7"),
        (changed("spun", "struggle  on"), 1, "not in normal form"),
        (changed("spun", " struggle"), 1, "not in normal form"),
        (changed("original", "cafe\u0301"), 10, "not in normal form"),
        (changed("original", "Struggle"), 10, "mapped to itself"),
        (changed("rate", "often"), 14, "rate: 'often' is not a number"),
        (changed("rate", ""), 14, "rate: '' is not a number"),
        (changed("rate", "0"), 14, "0 is not in (0, 1]"),
        (changed("rate", "1.5"), 14, "1.5 is not in (0, 1]"),
        (changed("rate", "nan"), 14, "nan is not in (0, 1]"),
        (changed("rate", "-0.5"), 14, "-0.5 is not in (0, 1]"),
        (changed("seen", "some"), 18, "seen: 'some' is not a count"),
        (changed("seen", "-1"), 18, "'-1' is not a count"),
        (changed("seen", "1.5"), 18, "'1.5' is not a count"),
        (changed("seen", "\u00b2"), 18, "is not a count"),
        (changed("status", "on"), 21, "status: 'on' is none of auto, review, off"),
        (changed("status", ""), 21, "is none of"),
        (changed("source", ""), 26, "source: empty"),
    ],
)
def test_a_malformed_line_is_named_by_file_line_and_column(tmp_path: Path, row: str, column: int, problem: str) -> None:
    path = table(tmp_path / "bad.tsv", GOOD, "# a comment", row)
    with pytest.raises(LexiconError) as caught:
        read(path)
    assert (caught.value.line, caught.value.column) == (4, column)
    assert problem in caught.value.problem
    assert str(caught.value).startswith(f"{path}:4:{column}: ")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", GOOD + "\n", "spun\toriginal\n" + GOOD + "\n"])
def test_a_file_without_the_header_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "headless.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LexiconError, match="spun original rate seen status source note"):
        read(path)


def test_what_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "missing.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path)
    binary = tmp_path / "latin.tsv"
    binary.write_bytes(b"caf\xe9\tx\n")
    with pytest.raises(InputError, match="UTF-8"):
        read(binary)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_entries_keep_all_their_fields_and_their_line(tmp_path: Path, newline: str) -> None:
    path = table(tmp_path / "good.tsv", "", "# why", changed("note", "seen in \u201cnews\u201d"), newline=newline)
    head, lines = read(path)
    entry = Entry("struggle", "war", 0.6, 12, Status.AUTO, "learned", "seen in \u201cnews\u201d")
    assert (head, lines) == (HEADER, (Line(("# why",), entry),))
    assert lines[0].entry is not None and lines[0].entry.line == 4


def test_the_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = table(tmp_path / "marked.tsv", GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read(path)[1]) == 1


def test_comments_survive_formatting_with_their_entry(tmp_path: Path) -> None:
    path = tmp_path / "commented.tsv"
    war, yr = GOOD, "actual property\treal estate\t0.7\t3\treview\tcurated\tmind the case"
    path.write_text(f"# head\n{HEADER}\n# of war\n#\n{war}\n\n# of property\n{yr}\n# last\n", encoding="utf-8")
    text = formatted(*read(path))
    assert text == f"# head\n{HEADER}\n# of property\n{yr}\n# of war\n#\n{war}\n# last\n"
    path.write_text(text, encoding="utf-8")
    assert formatted(*read(path)) == text


def test_a_lexicon_of_comments_alone_survives(tmp_path: Path) -> None:
    path = table(tmp_path / "empty.tsv", "# nothing yet")
    assert formatted(*read(path)) == path.read_text(encoding="utf-8")
    assert Lexicon.load(path).entries == ()


WORDS = st.text(st.sampled_from("ab\u00e9z'"), min_size=1, max_size=3).filter(lambda w: w.strip("'") == w)
PHRASES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
ENTRIES = st.builds(
    Entry,
    spun=PHRASES,
    original=PHRASES.map(lambda words: f"{words} x"),
    rate=st.floats(1e-6, 1.0),
    seen=st.integers(0, 10**6),
    status=st.sampled_from(Status),
    source=st.sampled_from(["learned", "curated"]),
    note=st.sampled_from(["", "a note", "# no comment"]),
)
COMMENTS = st.lists(st.sampled_from(["#", "# why", "#\ta tab"]), max_size=2).map(tuple)


@settings(deadline=None)
@given(lines=st.lists(st.builds(Line, COMMENTS, ENTRIES), max_size=6))
def test_formatting_is_read_back_and_changes_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line]
) -> None:
    path = tmp_path_factory.mktemp("lexicon") / "any.tsv"
    text = formatted("", lines)
    path.write_text(text, encoding="utf-8")
    head, found = read(path)
    assert formatted(head, found) == text
    assert sorted(line.comments for line in found) == sorted(line.comments for line in lines)
    entries = [line.entry for line in found if line.entry]
    assert entries == sorted(entries, key=order)
    assert sorted(map(written, entries)) == sorted(written(line.entry) for line in lines if line.entry)


def checked(tmp_path: Path, rows: Iterable[str]) -> list[tuple[int, bool, str]]:
    _, lines = read(table(tmp_path / "checked.tsv", *rows))
    return [(problem.line, problem.is_error, problem.message) for problem in check(lines)]


def test_check_finds_what_is_not_sorted(tmp_path: Path) -> None:
    ((line, is_error, message),) = checked(tmp_path, [GOOD, "aspect\tside\t0.5\t1\tauto\tlearned\t"])
    assert (line, is_error) == (3, True)
    assert "not sorted" in message and "'aspect'" in message and "'struggle'" in message


def test_check_finds_repetition_whatever_the_writing(tmp_path: Path) -> None:
    twice = ["Struggle\twar\t0.2\t1\tauto\tlearned\t", "# between", GOOD]
    ((line, is_error, message),) = checked(tmp_path, twice)
    assert (line, is_error) == (4, True)
    assert "already in line 2" in message


def test_check_adds_up_the_rates_of_a_head_once(tmp_path: Path) -> None:
    rows = [f"fray{n}\twar\t0.4\t1\tauto\tlearned\t" for n in range(4)]
    ((line, is_error, message),) = checked(tmp_path, rows)
    assert (line, is_error) == (4, True)
    assert "'war'" in message and "more than 1" in message
    assert checked(tmp_path, [rows[0], rows[1], rows[2].replace("auto", "off")]) == []


def test_check_explains_loops_without_calling_them_wrong(tmp_path: Path) -> None:
    ((line, is_error, message),) = checked(tmp_path, [GOOD, "war\tstruggle\t0.1\t1\tauto\tlearned\t"])
    assert not is_error
    assert line in (2, 3) and "loop" in message


def test_a_sound_lexicon_has_no_problems(tmp_path: Path) -> None:
    assert checked(tmp_path, ["aspect\tside\t0.5\t1\tauto\tlearned\t", GOOD]) == []


def test_later_lexicons_overrule_earlier_ones(tmp_path: Path) -> None:
    base = table(tmp_path / "base.tsv", GOOD, "yr\tyear\t0.5\t1\tauto\tlearned\t")
    mine = table(tmp_path / "mine.tsv", changed("status", "off"), "zip\tpostcode\t0.5\t0\tauto\tcurated\t")
    merged = Lexicon.load(base, mine)
    assert [(e.spun, e.status) for e in merged.entries] == [
        ("struggle", Status.OFF),
        ("yr", Status.AUTO),
        ("zip", Status.AUTO),
    ]
    assert merged.name == "base+mine"
    assert [e.status for e in Lexicon.load(mine, base).entries] == [Status.AUTO] * 3


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError, match=DEFAULT):
        find("no-such-lexicon")


def test_a_lexicon_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    path = table(tmp_path / "mine.tsv", GOOD)
    assert find(path) == path
    assert find(DEFAULT).name == f"{DEFAULT}.tsv"


def entries() -> list[Entry]:
    return [
        Entry("struggle", "war", 0.6, seen=2),
        Entry("Struggle", "fight", 0.7),
        Entry("fray", "War", 0.3),
        Entry("wrestle", "struggle", 0.2, status=Status.REVIEW),
        Entry("scrap", "war", 0.1, status=Status.OFF),
        Entry("in opposition to", "against", 0.9),
    ]


def test_look_ups_go_by_normal_form() -> None:
    lexicon = Lexicon(entries())
    assert [lexicon.active[n].original for n in lexicon.by_spun["struggle",]] == ["fight", "war"]  # likeliest first
    spun, original = lexicon.lookup("STRUGGLE")
    assert {e.original for e in spun} == {"war", "fight"}
    assert [e.spun for e in original] == ["wrestle"]
    assert lexicon.lookup("scrap")[0][0].status == Status.OFF  # shown, though not used


def test_what_is_off_is_not_used() -> None:
    lexicon = Lexicon(entries())
    assert ("scrap",) not in lexicon.by_spun
    assert lexicon.kept["war",] == pytest.approx(1 - 0.6 - 0.3)


def test_alternates_of_one_head_share_its_number() -> None:
    lexicon = Lexicon(entries())
    heads = dict(zip(((e.spun, e.original) for e in lexicon.active), lexicon.head_numbers.tolist(), strict=True))
    assert heads["struggle", "war"] == heads["fray", "War"]
    assert len(set(heads.values())) == 4


def test_reach_bounds_every_phrase() -> None:
    lexicon = Lexicon(entries())
    assert lexicon.reach["in"] == 3
    assert all(len(key) <= lexicon.reach[key[0]] for key in (*lexicon.by_spun, *lexicon.kept))


def test_rates_above_one_leave_nothing_unspun() -> None:
    assert Lexicon([Entry("a", "x", 0.8), Entry("b", "x", 0.8)]).kept["x",] == 0.0


def test_the_digest_names_the_content_and_not_its_order() -> None:
    assert Lexicon(entries()).digest == Lexicon(reversed(entries())).digest
    assert Lexicon(entries()).digest != Lexicon(entries()[1:]).digest
    assert Lexicon(entries(), name="mine").digest.startswith("mine-")


def test_the_shipped_lexicon_is_sound_and_stands_as_format_would_write_it() -> None:
    path = find(DEFAULT)
    head, lines = read(path)
    assert [problem for problem in check(lines) if problem.is_error] == []
    assert formatted(head, lines) == path.read_text(encoding="utf-8")


def test_the_shipped_lexicon_knows_the_dialect() -> None:
    lexicon = Lexicon.load()
    assert lexicon.name == DEFAULT
    assert len(lexicon.active) > 1000
    assert max(len(key) for key in lexicon.by_spun) <= LONGEST
    known = {"struggle": "war", "in opposition to": "against", "despite the fact that": "even though"}
    for spun, original in known.items():
        assert original in {entry.original for entry in lexicon.lookup(spun)[0]}
