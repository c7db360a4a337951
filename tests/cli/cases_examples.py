# SPDX-License-Identifier: Apache-2.0
# The programs of examples/, beside the program under test when they are built there.
import os
import pathlib
import subprocess
import sys

from harness import FAIRLEAD, ROOT, case

FOLDER = pathlib.Path(FAIRLEAD).parent / "examples"


@case
def examples_do_what_they_say():
    environment = {name: value for name, value in os.environ.items() if name != "XDG_DATA_HOME"}
    done = subprocess.run([sys.executable, ROOT / "tests/examples_run.py", FOLDER], capture_output=True, text=True, timeout=300,
                          check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
