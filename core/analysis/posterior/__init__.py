"""The answer task by task, the spread over orders, and what a repeated demonstration does."""
