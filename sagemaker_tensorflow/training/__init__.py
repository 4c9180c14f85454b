"""Training jobs: a script in SageMaker's training environment, on this machine."""
