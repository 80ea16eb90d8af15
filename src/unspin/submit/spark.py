"""What spark-submit is given: `spark-submit [OPTIONS] $(unspin spark --submit-file) clean IN -o OUT`.

Spark takes a file, not a command. It stands in a folder of its own because that folder is searched for imports first.
"""

import sys

from unspin.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "spark")
    main()
