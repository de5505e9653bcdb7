"""Conferences: legs brought together, the commands to them, and the events that tell of it."""
