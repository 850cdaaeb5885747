"""Programs that measure Thumbs on real data and write the results to ``benchmarks/results`` as JSON.

Run them from the project folder, and pass the paths of the data files as options. docs/benchmarks.md lists all
commands.
"""
