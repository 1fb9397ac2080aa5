"""Use cases: one module per family of verbs, each verb one function and one transaction."""
