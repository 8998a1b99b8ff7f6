"""The learner's kernel: IPython's, without the debugger.

A learner's page has nothing to debug, and debugpy costs every kernel 8 MB.
ipykernel has no option for that, but does without a debugger that can't be imported.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.modules["debugpy"] = None  # type: ignore[assignment]

    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
