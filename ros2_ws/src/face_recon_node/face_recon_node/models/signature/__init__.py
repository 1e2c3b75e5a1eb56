"""The signature model: a person's minutes say in closed form what each action does to their ears, and one network that
has seen thousands of simulated people reads the face from there."""
