"""``python -m driftmon``: the same as the command ``driftmon``."""

from driftmon.cli import main

if __name__ == "__main__":
    main()
