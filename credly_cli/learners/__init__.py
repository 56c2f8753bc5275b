"""What a learner has, will get and could earn, and why."""
