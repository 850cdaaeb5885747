"""Kills the bot under load on a faulty wire, and checks that each text gets one reply, in order.

Run it with ``python -m benchmarks.delivery``.
"""
