"""The HTML report: measuring (`sections`), reading images (`one_pass`), writing (`page`).

Computing is apart from rendering: `page_contents` has the data of every section, or the reason why
it is missing, and the templates show them.
"""

from .making import Origin, page_of, report

__all__ = ["Origin", "page_of", "report"]
