"""The commands: arguments in, engine called, exit code out; one small file for each.

Exit codes: 0 done, 1 the input is wrong (a located message), 2 wrong usage, 70 a bug in ibpc,
130 interrupted.
"""

from ibpc.cli.main import main
from ibpc.cli.vocabulary import vocabulary as full_vocabulary  # a file has the short name

__all__ = ["full_vocabulary", "main"]
