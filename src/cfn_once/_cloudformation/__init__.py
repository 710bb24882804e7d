"""What CloudFormation sends, and what it receives: requests, ids, responses, their delivery."""
