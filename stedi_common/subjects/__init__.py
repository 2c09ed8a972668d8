"""Data subjects: what a lake and its drops hold on a person who asks."""

from stedi_common.subjects.drops import DropLines, lines_about
from stedi_common.subjects.report import Report, report
from stedi_common.subjects.subject import Subject, subject_of
from stedi_common.subjects.tables import TableRows, rows_in_tables

__all__ = ["DropLines", "Report", "Subject", "TableRows", "lines_about", "report", "rows_in_tables", "subject_of"]
