"""The ``thumbs`` command, which starts the processes and runs individual tasks."""
