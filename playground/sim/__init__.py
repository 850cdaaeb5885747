"""People's actions in the playground, over HTTP."""
