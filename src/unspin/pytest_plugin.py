"""The pytest plugin: collects `*.case.toml`, an item a case, and has the fixture `unspin`.

pytest loads it wherever unspin is installed, so nothing is imported here that a suite without cases does not need, and
collecting reads no case. `-p no:unspin` goes without.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unspin.evaluate import Score
    from unspin.model import Restoration

_SUFFIX = ".case.toml"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """A case file is a file of one test."""
    return CaseFile.from_parent(parent, path=file_path) if file_path.name.endswith(_SUFFIX) else None


class CaseFile(pytest.File):
    """A file that holds one case."""

    def collect(self) -> Iterator[CaseItem]:
        """The case, unread."""
        yield CaseItem.from_parent(self, name=self.path.name.removesuffix(_SUFFIX))


class CaseFailure(Exception):
    """A case that is not as it should be, in words."""


class CaseItem(pytest.Item):
    """A case, judged as `unspin check` judges it."""

    def runtest(self) -> None:
        """Run the case."""
        from unspin.cases.model import Verdict
        from unspin.cases.reading import read_case
        from unspin.cases.running import run_case
        from unspin.cases.telling import explained, headline

        result = run_case(read_case(self.path))
        if result.verdict is Verdict.KNOWN:
            pytest.xfail(result.case.xfail)
        if result.is_failure:
            raise CaseFailure(f"{headline(result)}\n{explained(result)}".rstrip("\n"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What went wrong, without the frames of unspin; a fault of unspin's own is shown with them."""
        from unspin.errors import UnspinError

        if isinstance(excinfo.value, (CaseFailure, UnspinError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands."""
        return self.path, 0, f"case: {self.name}"


class Unspin:
    """What tests ask of unspin. The models are loaded when first needed, once a process."""

    def restore(self, text: str, **options: Any) -> Restoration:
        """The restoration of a text, as `unspin.restore` makes it."""
        from unspin.pipeline import restore

        return restore(text, **options)

    def cleaned(self, text: str, **options: Any) -> str:
        """The cleaned text."""
        from unspin.edit import cleaned

        return cleaned(self.restore(text, **options))

    def check(self, text: str, output: str | None = None, **options: Any) -> Score:
        """Fail unless a text with its swaps marked, `[[spun|original]]`, is restored, and nothing else changed.

        With `output` the text is taken as it stands, and must become just that. `options` are those of `restore`.
        """
        __tracebackhide__ = True
        from unspin.cases.model import Case
        from unspin.cases.reading import gold_of
        from unspin.cases.running import judged
        from unspin.cases.telling import explained

        gold = gold_of(text, output, name="text")
        case = Case(Path("text"), "checked", "by a test", "the test", gold, output)
        result = judged(case, self.restore(gold.text, **options))
        if result.counts.faults:
            pytest.fail(f"{result.counts}\n{explained(result)}".rstrip("\n"), pytrace=False)
        return result.score


@pytest.fixture(scope="session")
def unspin() -> Unspin:
    """Restore, clean and check texts in tests."""
    return Unspin()
