"""The segment language: text → checked tree → text, its catalogue and its sentences.

Pure: imports no third-party package, reads no clock, knows no customers.
"""

from regulars.language.catalogue import CATALOGUE
from regulars.language.checker import check
from regulars.language.parser import Dialect, Parsed, parse, parse_with_notes
from regulars.language.printer import print_for_shopify, print_query
from regulars.language.sentences import describe

__all__ = [
    "CATALOGUE",
    "Dialect",
    "Parsed",
    "check",
    "describe",
    "parse",
    "parse_with_notes",
    "print_for_shopify",
    "print_query",
]
