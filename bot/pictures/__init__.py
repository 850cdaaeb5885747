"""Pictures for admins, drawn in a child process, so that the bot itself never loads the charting library."""
