"""What CloudFormation says, and what it is told: requests, ids, responses and their delivery."""
