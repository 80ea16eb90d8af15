"""The pytest plugin, in suites of its own: what it collects, how cases fail, its fixture, and that it costs nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unspin.cases.reading import read_case
from unspin.cases.running import run_case
from unspin.cases.telling import headline
from unspin.pytest_plugin import Unspin

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
HEAD = "label = 'a'\nwhy = 'w'\norigin = 'o'\n"
GOOD = HEAD + "input = 'The council met.'\n"
BAD = HEAD + "input = 'The council met on [[Tuesday|Wednesday]].'\n"
KNOWN = "xfail = 'too hard'\n" + BAD
FIXED = "xfail = 'too hard'\n" + GOOD
MALFORMED = "colour = 1\n" + GOOD
SPUN = (
    "The struggle has lasted greater than a yr, and there may be little signal of a settlement. "
    "Negotiations proceed, in keeping with a number of diplomats, however each side stays cautious."
)
HEAVY = {"numpy", "click", "rich", "rapidfuzz", "onnxruntime", "sqlalchemy", "tomllib", "unspin.model", "unspin.edit"}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What suites inside this process need is imported before them: they forget what they import, and numpy cannot be
    imported twice."""
    Unspin().check("The council met.")
    headline(run_case(read_case(ROOT / "tests" / "cases" / "negative" / "verse.case.toml")))


def suite(pytester: pytest.Pytester, **cases: str) -> None:
    for name, text in cases.items():
        pytester.path.joinpath(f"{name}.case.toml").write_text(text)


def test_a_case_is_an_item(pytester: pytest.Pytester) -> None:
    suite(pytester, good=GOOD, known=KNOWN)
    pytester.path.joinpath("other.toml").write_text("not = 'a case'")
    result = pytester.runpytest_inprocess("-rxA")
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines_random(["PASSED good.case.toml::good", "XFAIL known.case.toml::known - too hard"])


def test_a_failure_says_what_is_wrong_and_no_more(pytester: pytest.Pytester) -> None:
    suite(pytester, bad=BAD)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ case: bad _*",
            "0 restored, 0 wrong, 1 missed, 0 spurious: regressed (floor: all right)",
            "    a: w",
            '    missed: "Tuesday" still stands for "Wednesday", in: council met on [[]Tuesday] .',
            "    The council met on [[]-Tuesday-]{+Wednesday+}.",
        ]
    )
    assert "running.py" not in result.stdout.str()


def test_floors_count(pytester: pytest.Pytester) -> None:
    floor = "[floor]\nrestored = 0\nwrong = 0\nmissed = {}\nspurious = 0\n"
    suite(pytester, at=BAD + floor.format(1), above=BAD + floor.format(2), below=BAD + floor.format(0))
    result = pytester.runpytest_inprocess("-rf")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["FAILED below.case.toml::below*"])


def test_a_known_failure_that_passes_fails(pytester: pytest.Pytester) -> None:
    suite(pytester, fixed=FIXED)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*fixed: all is right, so it is no known failure; take xfail out"])


def test_a_malformed_case_fails_alone(pytester: pytest.Pytester) -> None:
    suite(pytester, good=GOOD, malformed=MALFORMED)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*malformed.case.toml: colour: unknown key*"])
    assert "reading.py" not in result.stdout.str()


def test_a_fault_of_unspins_own_is_shown_with_its_frames(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise ZeroDivisionError("oh")

    suite(pytester, good=GOOD)
    monkeypatch.setattr("unspin.cases.reading.read_case", broken)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*pytest_plugin.py:*", "*ZeroDivisionError*"])


def test_cases_are_chosen_like_other_tests(pytester: pytest.Pytester) -> None:
    suite(pytester, good=GOOD, bad=BAD, known=KNOWN)
    pytester.runpytest_inprocess("-k", "good").assert_outcomes(passed=1, deselected=2)
    pytester.runpytest_inprocess("good.case.toml").assert_outcomes(passed=1)
    pytester.runpytest_inprocess("good.case.toml::good").assert_outcomes(passed=1)
    pytester.runpytest_inprocess("-p", "no:unspin").assert_outcomes()


def test_cases_are_shared_out_among_processes(pytester: pytest.Pytester) -> None:
    suite(pytester, **{f"good{n}": GOOD for n in range(5)}, bad=BAD, known=KNOWN)
    pytester.runpytest_subprocess("-n2").assert_outcomes(passed=5, failed=1, xfailed=1)


def test_the_fixture_restores_cleans_and_checks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        SPUN = {SPUN!r}

        def test_clean(unspin):
            assert unspin.cleaned(SPUN).startswith("The war has lasted more than a year")
            assert unspin.restore(SPUN).spin.is_spun
            assert unspin.cleaned(SPUN, min_confidence=1.0) == SPUN

        def test_right(unspin):
            assert unspin.check("The council met.").missed == 0
            unspin.check("if [[ -n $x ]]", "if [[ -n $x ]]")

        def test_wrong(unspin):
            unspin.check("The council met on [[Tuesday|Wednesday]].")
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["0 restored, 0 wrong, 1 missed, 0 spurious", "*{+Wednesday+}."])
    assert "Traceback" not in result.stdout.str()


def test_markup_that_is_malformed_is_refused_in_the_test() -> None:
    with pytest.raises(Exception, match=r"text:1:1: '\[\[' without"):
        Unspin().check("[[struggle")


def test_a_suite_without_cases_imports_nothing_and_collecting_no_case(pytester: pytest.Pytester) -> None:
    suite(pytester, good=GOOD, malformed=MALFORMED)
    pytester.makeconftest(
        f"""
        import sys

        def pytest_sessionfinish():
            assert "unspin.pytest_plugin" in sys.modules
            print("imported:", sorted({HEAVY!r} & {{name for name in sys.modules}} - {{"tomllib"}}))
        """
    )
    result = pytester.runpytest_subprocess("--collect-only", "-q", "-s")
    result.stdout.fnmatch_lines(["good.case.toml::good", "malformed.case.toml::malformed", "imported: []"])


def test_the_example_project_runs(tmp_path: Path) -> None:
    """As its README says, in a process of its own."""
    shutil.copytree(ROOT / "examples" / "pytest", tmp_path / "project")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "case: " not in done.stdout
    for line in ("cases/sanctions.case.toml::sanctions PASSED", "cases/notice.case.toml::notice PASSED"):
        assert line in done.stdout
    assert "cases/cat.case.toml::cat XFAIL" in done.stdout
    assert "test_articles.py::test_our_articles_stay_as_they_are[ferry] PASSED" in done.stdout
