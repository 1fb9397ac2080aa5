"""Durable state: engine, tables, one module of query functions per noun."""
