"""`offpath register`: a team's own model, converted where needed, tried as it will be served, and registered."""
