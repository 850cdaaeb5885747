"""Trains, evaluates and serves sentiment classifiers. This room does not depend on chats, queues or the database."""
