"""One folder per product whose behaviour a schema cannot express."""
