"""Steps: side effects that happen once, by plain function, over HTTP and through boto3."""
