"""The workspace of all methods: a source, a task, a recipe, a place to keep steps."""
