"""What is asked of the orchestrator: its server, logs, progress, secrets, kept results and worker processes."""
