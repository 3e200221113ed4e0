"""How much of an evaluation is done: within a budget that sizes decide, so that one seed has one result everywhere."""
