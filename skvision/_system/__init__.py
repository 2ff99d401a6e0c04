"""What the operating system offers: whole files, threads, memory, progress on a terminal.

It imports nothing of skvision, and is imported by all other rooms.
"""
