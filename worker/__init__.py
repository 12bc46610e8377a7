"""The worker: takes messages from the queue, keeps each DID's history, holds the model."""
