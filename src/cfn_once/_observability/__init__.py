"""What operators see: log lines, metrics, spans, and a mask over what is secret."""
