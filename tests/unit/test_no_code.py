"""Nothing that unspin reads can be a program: no part of it runs data, and files made to be run are refused."""

from __future__ import annotations

import ast
import io
import os
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from fuzz_targets import MEMBERS, TARGETS

import unspin
from unspin.errors import FormatError, IndexFault, UnspinError
from unspin.index import Index, describe
from unspin.model import NamedText
from unspin.rank import load_ranker

SOURCES = sorted(Path(unspin.__file__).parent.rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "code", "runpy"}
CALLS = {"eval", "exec", "compile", "__import__"}


def forbidden(source: str) -> list[str]:
    """What in a module could run data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append(node.module or "")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name in CALLS or (name in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False"):
                found.append(name)
            if keywords.get("allow_pickle") == "True" or (
                name == "torch.load" and keywords.get("weights_only") != "True"
            ):
                found.append(name)
            if name.startswith(("os.system", "os.popen", "os.exec", "os.spawn", "subprocess.")):
                found.append(name)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_runs_data(path: Path) -> None:
    assert forbidden(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "eval(x)",
        "np.load(p)",
        "np.load(p, allow_pickle=True)",
        "os.system(x)",
    ],
)
def test_the_reader_of_modules_sees_what_is_forbidden(source: str) -> None:
    assert forbidden(source)


class Trap:
    """Pickled, it makes a folder when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    marker = tmp_path / "was-run"
    pickle.loads(pickle.dumps(Trap(marker)))
    assert marker.is_dir()  # the trap works
    marker.rmdir()
    return marker


@pytest.mark.parametrize("name", TARGETS)
def test_a_pickle_given_as_any_file_is_not_run(name: str, marker: Path, tmp_path: Path) -> None:
    trap = pickle.dumps(Trap(marker))
    array = io.BytesIO()
    np.save(array, np.asarray([Trap(marker)] * 5, dtype=object), allow_pickle=True)
    for data in (trap, b"\1" + trap, array.getvalue(), MEMBERS.join([array.getvalue()] * 6)):
        with suppress(UnspinError):
            TARGETS[name].feed(data, tmp_path)
    assert not marker.exists()


def test_a_ranker_whose_arrays_are_objects_is_refused(marker: Path, tmp_path: Path) -> None:
    path = tmp_path / "trap.vectors"
    array = io.BytesIO()
    np.save(array, np.asarray([Trap(marker)] * 5, dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("vectors", "scale", "signs", "words", "capital", "weights"):
            archive.writestr(f"{name}.npy", array.getvalue())
    with pytest.raises(FormatError, match="not a ranker"):
        load_ranker(str(path))
    assert not marker.exists()


def test_an_index_that_names_files_elsewhere_is_refused(tmp_path: Path) -> None:
    import sqlite3

    path, other = tmp_path / "index", tmp_path / "precious.keys"
    other.write_bytes(b"")
    Index.build(path, [NamedText("a", "One text that is here.")])
    with sqlite3.connect(path / "passages.sqlite") as database:
        database.execute("update segments set name = '../../precious'")
    with pytest.raises(IndexFault, match="it lists files that are none"):
        describe(path)
    assert other.exists()
