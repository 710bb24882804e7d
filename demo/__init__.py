"""
The demo: every event is delivered twice or more, to cfn-once and to a plain crhelper provider.

CloudFormation ─► deliver.py ─► function.py, around a provider ─► Spot's API, a mock that counts
                  twice           │
                                  └─► the response host, which counts, too ─► CloudFormation

`make demo` runs it, on a MiniStack of its own.
"""
