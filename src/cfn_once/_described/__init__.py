"""What a provider serves, as data: for templates, editors and readers."""
