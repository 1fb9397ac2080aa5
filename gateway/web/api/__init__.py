"""The API, one file per resource: each handler hands its decoded request to one verb."""
