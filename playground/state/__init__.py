"""The playground's state: chats, people, updates and files."""
