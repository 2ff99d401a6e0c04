"""``python -m skvision`` is the command ``skvision``."""

from .cli import main

if __name__ == "__main__":
    main()
