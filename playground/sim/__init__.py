"""The people's actions in the playground, over HTTP."""
