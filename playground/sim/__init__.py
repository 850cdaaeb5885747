"""What people do in the playground, as HTTP calls."""
