"""What AWS does around the functions, on one machine: the event source mapping, the schedule, the queue."""
