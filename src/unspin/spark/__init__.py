"""Restoration and the search for copies over Spark's DataFrames, with the answers of one machine.

`clean` restores a column of texts, `dedupe` finds the copies among them, `without` takes them away. Everything happens
in the executors; nothing but counts comes to the driver. Needs `pip install 'unspin[spark]'` on the driver and on every
executor, and Java on both.
"""

from unspin.spark.clean import clean
from unspin.spark.dedupe import dedupe, without

__all__ = ["clean", "dedupe", "without"]
