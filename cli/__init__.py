"""The command ``thumbs``: starts the processes and runs single tasks by hand."""
