"""A fleet of cameras for a day, under a simulated clock, with streamctl.core itself at work on it."""
