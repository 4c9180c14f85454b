"""What there is to know of jobs, during and after them."""
