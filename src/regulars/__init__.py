"""Regulars: know your regulars. Live, exact customer segmentation for Shopify stores."""

__version__ = "0.1.0"
