"""Services of the operating system: atomic files, threads, memory, progress on a terminal.

The package imports nothing of skvision; all other packages may import it.
"""
