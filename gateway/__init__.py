"""The service: domain, storage, use cases, web, start-up."""
