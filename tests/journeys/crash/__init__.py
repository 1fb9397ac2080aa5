"""An intake that is killed and started again, and the ledger of what must be in the books afterwards."""
