"""Do on one machine what AWS does around the functions: the event source mapping, the schedule, the queue."""
