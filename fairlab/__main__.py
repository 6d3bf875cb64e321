"""``python -m fairlab`` is ``fairlab``."""

import sys

from fairlab.cli import main

sys.exit(main())
