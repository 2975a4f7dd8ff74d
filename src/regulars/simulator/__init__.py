"""A pretend Shopify for demo and tests: the real schema and behaviour, told every fault.

The only pretend thing in the project. Nothing in the product imports it but `demo`; it imports
nothing of the product but the clock.
"""
