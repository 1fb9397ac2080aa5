"""Wire structs: what the API and the events say, built from rows (`of`). Field names are the contract's."""
