"""What people read of a run: the console's table, results.json and results.csv, report.html.

report.html is made of the run folder's files alone (`facts` reads them): each part of the page is
one file in `sections/`, each drawing is SVG of our own (`charts`), and nothing is fetched.
"""

from ibpc.report.compare import write_comparison
from ibpc.report.console import console_table
from ibpc.report.page import write_report
from ibpc.report.running import RunReport

__all__ = ["RunReport", "console_table", "write_comparison", "write_report"]
