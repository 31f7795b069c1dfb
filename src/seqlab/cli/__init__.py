"""The command `seqlab`: `main` lists the commands, each in a module of its own."""
