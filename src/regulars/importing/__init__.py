"""Bringing orders and customers from CSV files into a shop's warehouse.

Reads what the Shopify admin exports and a generic orders file. Rows that cannot be read are written
beside their reason; the others are kept. Lists of members (CSV segments) are segments' work.
"""

from regulars.importing.importing import FileReport, ImportReport, Progress, import_files

__all__ = ["FileReport", "ImportReport", "Progress", "import_files"]
