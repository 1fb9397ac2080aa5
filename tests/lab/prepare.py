"""`python -m tests.lab.prepare`: builds what the tests need of real components, before their clocks run.

It takes minutes the first time on a machine and a moment ever after. What cannot be had is told; whether that
fails a test is for the test.
"""

import sys

from tests.lab.asterisk.chroot import chroot
from tests.lab.components import Unavailable, chromium, ffmpeg


def main() -> None:
    """Build each."""
    for name, build in (("Asterisk 22 and SIPp", chroot), ("ffmpeg", ffmpeg), ("Chromium", chromium)):
        print(f"Preparing {name} ...", flush=True)
        try:
            build()
        except Unavailable as reason:
            print(f"{name}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
