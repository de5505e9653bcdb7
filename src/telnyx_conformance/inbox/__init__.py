"""Our webhook receiver."""
