"""Trains, evaluates and serves sentiment classifiers. Does not depend on chats, queues or the database."""
