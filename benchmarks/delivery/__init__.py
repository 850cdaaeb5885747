"""Kills the bot under load while the wire is faulty, and checks that every text is answered once and in order.

Run it with ``python -m benchmarks.delivery``.
"""
