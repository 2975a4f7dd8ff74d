"""Resolvers: what each field of the schema tells, by type."""
