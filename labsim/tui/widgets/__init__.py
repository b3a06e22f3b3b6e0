"""Parts of the screens; each shows what it is given and knows no host."""
