"""Intermediate results, kept where a lost executor does not take them along: below Spark's checkpoint directory.

A DataFrame comes in and is computed, once; one that is read from what was saved comes out. Refused, by SparkFault: a
session without a checkpoint directory.
"""

from __future__ import annotations

from typing import Any, Self
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession

from unspin.errors import SparkFault


def _found(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """A path as Hadoop has it, and its file system; Spark has no door to them of its own."""
    context: Any = spark.sparkContext
    there = context._jvm.org.apache.hadoop.fs.Path(path)
    return there, there.getFileSystem(context._jsc.hadoopConfiguration())


def exists(spark: SparkSession, path: str) -> bool:
    """Whether something is there."""
    there, system = _found(spark, path)
    return bool(system.exists(there))


def delete(spark: SparkSession, path: str) -> None:
    """Delete a file or a whole folder, if it is there."""
    there, system = _found(spark, path)
    system.delete(there, True)


class Scratch:
    """A folder of Parquet files. At the end of a `with` statement, what was not to be kept is deleted."""

    def __init__(self, spark: SparkSession) -> None:
        base = spark.sparkContext.getCheckpointDir()
        if not base:
            problem = "no checkpoint directory is set: setCheckpointDir(PATH), where all executors can write"
            raise SparkFault(f"spark.sparkContext: {problem}")
        self._spark, self._path = spark, f"{base}/unspin-{uuid4().hex}"
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop(*self._names)

    def saved(self, frame: DataFrame, name: str, *, stays: bool = False) -> DataFrame:
        """The same rows, computed and saved; `stays` keeps them for whoever uses the result."""
        path = f"{self._path}/{name}"
        if not stays:
            self._names.add(name)
        frame.write.option("compression", "zstd").parquet(path)
        return self._spark.read.schema(frame.schema).parquet(path)

    def drop(self, *names: str) -> None:
        """Delete what was saved under some names."""
        for name in names:
            delete(self._spark, f"{self._path}/{name}")
        self._names.difference_update(names)
