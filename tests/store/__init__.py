"""The store on both engines: one contract, real databases."""
