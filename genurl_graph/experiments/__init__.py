"""Tables of many runs: methods compared, settings varied, OGB's reports, and runs repeated from their files.

The commands of `genurl_graph.cli` parse options, call these functions, and print what they return.
"""
