"""The segment language: text → checked tree → text, its catalogue and its sentences.

Pure: imports no third-party package, reads no clock, knows no customers.
"""

from regulars.language.catalogue import CATALOGUE

__all__ = ["CATALOGUE"]
