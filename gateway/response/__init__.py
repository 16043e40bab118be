"""Emergency response in the store: plans and what fits, incidents with their tasks and timeline, what is printed."""
