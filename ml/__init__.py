"""Trains, evaluates and serves sentiment classifiers. It does not depend on chats, queues or the database."""
