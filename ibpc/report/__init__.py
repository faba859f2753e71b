"""What people read of a run: the console's table, results.json and results.csv."""

from ibpc.report.console import console_table
from ibpc.report.files import write_results

__all__ = ["console_table", "write_results"]
