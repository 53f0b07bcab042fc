"""The routes of one page each: what is asked of whom, and what is answered."""
