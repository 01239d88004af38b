"""Training scripts to try Headway with. ``walkthrough.py`` is what ``headway demo`` executes."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""Where the scripts are."""
