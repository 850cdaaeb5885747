"""People who collude to make the model worse, or to plant a phrase that decides, and what becomes of it.

``python -m benchmarks.poison`` carries it out.
"""
