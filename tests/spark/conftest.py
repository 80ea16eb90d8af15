"""A real cluster on this machine: a standalone master and two workers, processes of their own, on loopback alone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOOPBACK = "127.0.0.1"
SECONDS = 60  # that a process may take to come up
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # of Java: it lives for a minute here
ENVIRONMENT = os.environ | {
    "PYSPARK_PYTHON": sys.executable,
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    "SPARK_DAEMON_JAVA_OPTS": QUICK,
    "SPARK_DAEMON_MEMORY": "256m",
    "SPARK_LOCAL_IP": LOOPBACK,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, these share one, and so one cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("spark"))


@dataclass
class Cluster:
    """The processes. Each is the leader of a group, so that a worker dies with its executors."""

    folder: Path
    url: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, kind: str, *arguments: str) -> str:
        """Start a daemon, and return what it logs until it says where it is."""
        import pyspark

        home = Path(pyspark.__file__).parent
        log = self.folder / f"{name}.log"
        with log.open("wb") as written:
            self.processes[name] = subprocess.Popen(
                [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", "--host", LOOPBACK, *arguments],
                env=ENVIRONMENT | {"SPARK_HOME": str(home)},
                stdout=subprocess.DEVNULL,
                stderr=written,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while not re.search(r"ALIVE|registered with master", log.read_text()):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return log.read_text()

    def start_worker(self, name: str) -> None:
        """A worker of one processor."""
        folder = str(self.folder / name)
        options = ("--cores", "1", "--memory", "1g", "--port", "0", "--webui-port", "0", "--work-dir", folder)
        self.start(name, "worker.Worker", *options, self.url)

    def kill(self, name: str) -> None:
        """End a process and all that it started, at once."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("pyspark", reason="needs pyspark: pip install 'unspin[spark]'")
    if shutil.which("java") is None:
        pytest.skip("no Java on the PATH")
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        told = made.start("master", "master.Master", "--port", "0", "--webui-port", "0")
        made.url = re.findall(r"spark://[\d.]+:\d+", told)[-1]
        for name in ("one", "two"):
            made.start_worker(name)
        yield made
    finally:
        for name in list(made.processes):
            made.kill(name)


@pytest.fixture(scope="session")
def spark(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session on the cluster."""
    from pyspark.sql import SparkSession

    settings: dict[str, bool | float | int | str | None] = {
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.extraJavaOptions": QUICK,
        "spark.driver.host": LOOPBACK,
        "spark.driver.memory": "512m",
        "spark.executor.extraJavaOptions": QUICK,
        "spark.executor.memory": "512m",
        "spark.executorEnv.PYTHONPATH": ENVIRONMENT["PYTHONPATH"],
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PYSPARK_PYTHON", "SPARK_LOCAL_IP"):
            patch.setenv(name, ENVIRONMENT[name])
        builder = SparkSession.builder.master(cluster.url).appName("tests")
        made = builder.config(map=settings).getOrCreate()
        made.sparkContext.setLogLevel("ERROR")
        made.sparkContext.setCheckpointDir(str(tmp_path_factory.mktemp("checkpoints")))
        yield made
        made.stop()
