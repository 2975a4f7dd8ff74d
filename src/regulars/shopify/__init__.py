"""Shopify: the client, our documents, sync and sign-in. Knows facts, not the office."""
