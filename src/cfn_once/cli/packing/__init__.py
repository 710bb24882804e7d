"""What `cfn-once package` puts into the zip of a function, and how."""
