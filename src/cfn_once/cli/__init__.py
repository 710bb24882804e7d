"""The command `cfn-once`: one module a verb, loaded when it is asked for."""
