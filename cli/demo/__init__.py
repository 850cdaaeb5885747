"""The demo, which runs the playground, a bot and a worker under one supervisor."""
