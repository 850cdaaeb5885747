"""The demo: playground, bot and worker under one supervisor."""
