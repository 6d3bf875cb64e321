"""What every method works with: a source, a task, a recipe, a place to keep steps."""
