"""AWS, as the verbs that deploy see it."""
