"""Shopify: the client, our documents, sync and sign-in. Knows the warehouse's facts, not the office."""
