"""One folder for each question that the command line answers."""
