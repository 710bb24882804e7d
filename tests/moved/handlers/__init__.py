"""Handlers as they are written for crhelper: the tests change their import line alone."""
