"""The command ``thumbs``: starts a process, or runs a room's job by hand."""
