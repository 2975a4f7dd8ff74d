"""The segment language: text → checked tree → text, its catalogue and its sentences.

Pure: imports no third-party package, reads no clock, knows no customers.
"""

from regulars.language.catalogue import CATALOGUE
from regulars.language.checker import check, check_shopify_ids
from regulars.language.completion import Completion, complete
from regulars.language.dialects import Dialect
from regulars.language.keys import filter_key, mentions_time, positive, segment_names
from regulars.language.lint import lint
from regulars.language.parser import Parsed, parse, parse_with_notes
from regulars.language.printer import print_for_shopify, print_query
from regulars.language.sentences import describe

__all__ = [
    "CATALOGUE",
    "Completion",
    "Dialect",
    "Parsed",
    "check",
    "check_shopify_ids",
    "complete",
    "describe",
    "filter_key",
    "lint",
    "mentions_time",
    "parse",
    "parse_with_notes",
    "positive",
    "print_for_shopify",
    "print_query",
    "segment_names",
]
