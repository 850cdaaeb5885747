"""What admins do in the chat: training runs, promotion and models."""
