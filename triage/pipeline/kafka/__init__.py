"""The worker's consumer group membership, transactions and committed offsets on Kafka."""
