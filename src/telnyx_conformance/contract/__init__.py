"""What the API promises: document, overlays, model, requirements, sequences. Imports nothing of ours but errors and content."""
