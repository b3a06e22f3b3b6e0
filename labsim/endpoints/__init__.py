"""Protocol endpoints: views of the plant that a trainee's tools connect to."""
