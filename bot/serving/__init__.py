"""The live model in this process: loaded, verified and replaced."""
