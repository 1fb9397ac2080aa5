"""A run of calls on a real Asterisk, a service that is killed meanwhile, and what its books must say then."""
