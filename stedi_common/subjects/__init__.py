"""Data subjects: what a lake and its drops hold on a person who asks, and their withdrawal."""

from stedi_common.subjects.drops import DropLines, lines_about
from stedi_common.subjects.report import Report, report
from stedi_common.subjects.subject import Subject, subject_of
from stedi_common.subjects.tables import TableRows, rows_in_tables
from stedi_common.subjects.withdrawal import expect_customer, expect_no_rows, write_refusal

__all__ = [
    "DropLines",
    "Report",
    "Subject",
    "TableRows",
    "expect_customer",
    "expect_no_rows",
    "lines_about",
    "report",
    "rows_in_tables",
    "subject_of",
    "write_refusal",
]
