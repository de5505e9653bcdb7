"""Random programs of commands, played on the target beside a model that the contract's state machines make up."""
