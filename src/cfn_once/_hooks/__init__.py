"""Hooks: the class that users derive from, what is decided for a request, and its run."""
